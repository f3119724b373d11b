//! A bad checkpoint with its reason, as reported to the user.

use std::fmt;
use std::path::PathBuf;

use vnp_escape::{escaped_path, sentence};

/// A checkpoint that cannot be used, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BadFile {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
}

impl fmt::Display for BadFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", escaped_path(&self.path), sentence(&self.reason))
    }
}
