use std::path::PathBuf;

use crate::Errno;

/// Why a command could not be traced, or its record not be understood.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Nothing can be traced here.
    #[error("cannot trace: {reason}")]
    Unavailable {
        /// What is missing.
        reason: String,
    },
    /// The operating system refused something that the tracer asked for.
    #[error("cannot {what} the traced process: {source}")]
    Trace {
        /// What the tracer wanted to do.
        what: &'static str,
        /// What the operating system said.
        source: Errno,
    },
    /// A file could not be opened, read or looked at.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The command did something to its files that the model of a disk does not know.
    #[error("{call} of {path} is not in the model: teach it before trusting the record",
            path = path.display())]
    NotModelled {
        /// The system call and how it was used.
        call: &'static str,
        /// The file.
        path: PathBuf,
    },
    /// The fault cannot be done to this system call.
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
        /// What was done to the command.
        after: String,
        /// What should not be.
        found: String,
    },
    /// A point has more possible images than can be looked at one by one.
    #[error("{images} images at one point: look at samples instead")]
    TooManyImages {
        /// How many there are at least.
        images: usize,
    },
}
