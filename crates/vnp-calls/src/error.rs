//! What goes wrong with calls.

use std::io;
use std::path::PathBuf;

use vnp_escape::{escaped, escaped_path, sentence};
use vnp_job::Interrupted;

/// Why calls could not be computed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A chunk's score is not a number.
    #[error("a chunk has the scores {s0} (others) and {s1} (virus); both must be finite numbers")]
    Score {
        /// The score of others.
        s0: f32,
        /// The score of virus.
        s1: f32,
    },
    /// A chunk came before the first record.
    #[error("a chunk was added before the first record began")]
    NoRecord,
    /// A file is not of the format that was asked for, or lacks columns.
    #[error("{}: {}", escaped_path(path), sentence(reason))]
    Format {
        /// The file.
        path: PathBuf,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A row of a table or of alignments cannot be used.
    #[error("{}: {unit} {number}: {}", escaped_path(path), sentence(reason))]
    Row {
        /// The file.
        path: PathBuf,
        /// What is counted: `line`, `record`.
        unit: &'static str,
        /// The number of the row, from 1.
        number: u64,
        /// What is wrong, and the remedy.
        reason: String,
    },
    /// A file could not be read or written; the message names it.
    #[error("{}", escaped(.0))]
    Io(io::Error),
    /// An input could not be opened.
    #[error(transparent)]
    Input(#[from] vnp_seq::Error),
    /// An output could not be written, or a stream not be copied.
    #[error(transparent)]
    Job(#[from] vnp_job::Error),
    /// A signal asked for the end; nothing was written.
    #[error("interrupted by {}: nothing was written", .0.cause())]
    Interrupted(Interrupted),
    /// A temporary file does not hold what was written to it.
    #[error(
        "a temporary file does not hold what was written to it: check the disk, and run the command again"
    )]
    Scratch,
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl From<Interrupted> for Error {
    fn from(interrupted: Interrupted) -> Self {
        Self::Interrupted(interrupted)
    }
}

impl Error {
    /// The signal that asked for the end, if that is what happened.
    #[must_use]
    pub fn interrupted(&self) -> Option<&Interrupted> {
        match self {
            Self::Interrupted(interrupted)
            | Self::Job(vnp_job::Error::Interrupted(interrupted)) => Some(interrupted),
            _ => None,
        }
    }
}
