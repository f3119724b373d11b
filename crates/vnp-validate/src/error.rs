//! The errors of this crate: a file, directory or failure log that cannot be read or written.

use std::io;
use std::path::{Path, PathBuf};

use vnp_escape::{escaped, escaped_path};

/// A failure to inspect a file, or to read or write a failure log. What is wrong with a file that
/// could be inspected is a [`Finding`](crate::Finding).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file exists, or may exist, and cannot be read.
    #[error("cannot inspect a checkpoint: {cause:#}", cause = escaped(cause))]
    CannotRead {
        /// The file.
        path: PathBuf,
        /// The reader's error.
        cause: Box<vnp_ckpt::Error>,
    },
    /// A directory cannot be listed.
    #[error("cannot list {path}: {cause}", path = escaped_path(path), cause = escaped(cause))]
    CannotList {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A failure log cannot be read.
    #[error(
        "cannot read the failure log {path}: {cause}",
        path = escaped_path(path), cause = escaped(cause)
    )]
    CannotReadLog {
        /// The log.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
    /// A failure could not be recorded.
    #[error(
        "cannot append to the failure log {path}: {cause}",
        path = escaped_path(path), cause = escaped(cause)
    )]
    CannotAppend {
        /// The log.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },
}

impl Error {
    /// The file or directory concerned.
    #[must_use]
    pub fn path(&self) -> &Path {
        match self {
            Self::CannotRead { path, .. }
            | Self::CannotList { path, .. }
            | Self::CannotReadLog { path, .. }
            | Self::CannotAppend { path, .. } => path,
        }
    }
}
