//! What ends a job.

use std::io;
use std::path::{Path, PathBuf};

use vnp_escape::{escaped, escaped_path, listed, sentence};

use crate::bad_file::BadFile;
use crate::identity::Difference;
use crate::stop::Interrupted;

/// Why an input is refused; the message names it.
pub type Refusal = Box<dyn std::error::Error + Send + Sync>;

/// What ended a job, or a step of it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The output directory exists and the caller asked neither to resume nor to start again.
    #[error(
        "output directory {} exists: continue its {job} with --resume, or start again with --force",
        escaped_path(path)
    )]
    OutputExists {
        /// The directory.
        path: PathBuf,
        /// What it holds: `run`, `training`.
        job: &'static str,
    },
    /// The output directory holds something else than a job of this kind.
    #[error("{} holds {found}: choose another directory", escaped_path(path))]
    NotOurs {
        /// The directory.
        path: PathBuf,
        /// What it holds.
        found: &'static str,
    },
    /// Something lies where a job publishes a directory and removes an earlier one, and is not of a job.
    #[error(
        "{} was not written by vnp, and lies where results are replaced: move it away, or choose another output directory",
        escaped_path(path)
    )]
    Foreign {
        /// The file or directory.
        path: PathBuf,
    },
    /// What lies where a job writes would lead it elsewhere, or cannot be replaced.
    #[error(
        "{} is {found}: vnp writes only inside its directory; remove it, or choose another output directory",
        escaped_path(path)
    )]
    NotAPlace {
        /// The link, directory, pipe or device.
        path: PathBuf,
        /// What it is.
        found: &'static str,
    },
    /// Another process works in the output directory.
    #[error(
        "output directory {} is in use by {holder}: wait for it, or choose another directory",
        escaped_path(path), holder = sentence(holder)
    )]
    Locked {
        /// The directory.
        path: PathBuf,
        /// The holder, as written in the lock file.
        holder: String,
    },
    /// Another process has taken the directory over, on a file system without locks.
    #[error(
        "output directory {} is no longer ours: {holder} has taken it over while this process stalled; the work so far is saved: continue with --resume when that process has ended",
        escaped_path(path), holder = sentence(holder)
    )]
    LockLost {
        /// The directory.
        path: PathBuf,
        /// The process that has it now.
        holder: String,
    },
    /// A file of the job could not be read or written; the message names it.
    #[error("{}", escaped(.0))]
    Io(io::Error),
    /// A part could not be saved or read.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
    /// A part could not be inspected.
    #[error(transparent)]
    Validation(#[from] vnp_validate::Error),
    /// The checkpoints belong to a job on other input, with another model or settings.
    #[error(
        "{} holds work on other data or settings: {}; give the same ones, or start again with --force",
        escaped_path(path),
        listed(differences.iter(), 32, "; ")
    )]
    OtherIdentity {
        /// The directory.
        path: PathBuf,
        /// Every field that differs.
        differences: Vec<Difference>,
    },
    /// Parts are corrupted, incompatible or out of place.
    #[error(
        "{}; compute these rows again with --force-resume, start again with --force, or remove the file and --resume",
        listed(files.iter(), 8, "; ")
    )]
    BadParts {
        /// Each bad part with its finding.
        files: Vec<BadFile>,
    },
    /// A directory does not hold the parts that were asked for.
    #[error(
        "{}: {reason}: finish its run with vnp predict --resume --keep-embeddings",
        escaped_path(path), reason = sentence(reason)
    )]
    MissingParts {
        /// The directory.
        path: PathBuf,
        /// What is missing.
        reason: String,
    },
    /// Something else removed or moved what the job works with.
    #[error(
        "{} has vanished: something else removed or moved it during the {job}; continue with --resume, which computes again only what is missing",
        escaped_path(path)
    )]
    Vanished {
        /// The topmost directory, or the part, that is gone.
        path: PathBuf,
        /// What the directory is for: `run`, `training`.
        job: &'static str,
    },
    /// Parts that should belong together do not.
    #[error(
        "{}: {what} is {found}, expected {expected}",
        escaped_path(path), what = sentence(what), found = sentence(found), expected = sentence(expected)
    )]
    Mismatch {
        /// The part.
        path: PathBuf,
        /// What differs.
        what: String,
        /// What the other parts have.
        expected: String,
        /// What this one has.
        found: String,
    },
    /// An input is not what the job reads; the message names it.
    #[error(transparent)]
    Input(Refusal),
    /// A signal asked for the end.
    #[error(transparent)]
    Interrupted(#[from] Interrupted),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

impl Error {
    /// Whether existing checkpoints are to blame (exit code 3) rather than this job.
    ///
    /// ```
    /// let error = vnp_job::Error::BadParts { files: Vec::new() };
    /// assert!(error.is_checkpoint_issue());
    /// ```
    #[must_use]
    pub fn is_checkpoint_issue(&self) -> bool {
        match self {
            Self::OtherIdentity { .. }
            | Self::BadParts { .. }
            | Self::MissingParts { .. }
            | Self::Vanished { .. }
            | Self::Mismatch { .. } => true,
            // A part that was trusted after the cheap checks only.
            Self::Checkpoint(error) => error.is_corrupted() || error.is_incompatible(),
            _ => false,
        }
    }
}

/// An I/O error with the path and the action that it interrupted, in the words of fs-err.
#[must_use]
pub fn io_at(action: &str, path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(
        error.kind(),
        format!("failed to {action} `{}`: {}", escaped_path(path), escaped(error)),
    )
}
