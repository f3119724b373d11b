//! Why a command could not be traced, or which promise it broke.

use std::path::PathBuf;

use crate::fault::Errno;

/// Why a command could not be traced, or its record not be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Processes cannot be traced on this machine.
    #[error("cannot trace: {reason}")]
    Unavailable {
        /// What is missing.
        reason: String,
    },
    /// The operating system refused something that the tracer asked for.
    #[error("cannot {what} the traced process: {source}")]
    Trace {
        /// What the tracer tried to do.
        what: &'static str,
        /// The error of the operating system.
        source: Errno,
    },
    /// A file could not be opened, read or inspected.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The command changed its files in a way that the model of a disk does not know.
    #[error("{call} of {path} is not in the model: add it before trusting the record",
            path = path.display())]
    NotModelled {
        /// The system call and how it was used.
        call: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// This system call does not support the fault.
    #[error("{call} cannot be cut short")]
    NotShortenable {
        /// The system call.
        call: &'static str,
    },
    /// The command ran for longer than any command here should.
    #[error("the command was ended after {seconds} s")]
    TimedOut {
        /// How long it ran.
        seconds: u64,
    },
    /// A promise is broken.
    #[error("after {after}: {found}")]
    Broken {
        /// The fault.
        after: String,
        /// How the promise is broken.
        found: String,
    },
    /// A point has more possible images than can be inspected one by one.
    #[error("{images} images at one point: inspect samples instead")]
    TooManyImages {
        /// How many there are at least.
        images: usize,
    },
}
