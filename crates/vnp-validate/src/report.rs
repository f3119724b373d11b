//! What was found in one file.

use std::fmt;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Integrity, Status};

use crate::{Finding, Level, Severity};

/// The verdict on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing wrong down to the level that was asked for.
    Ok,
    /// Damaged, hostile, unfinished, or not there.
    Corrupted,
    /// Whole, but not for this release or this use.
    Incompatible,
}

impl Outcome {
    /// `OK`, `CORRUPTED` or `INCOMPATIBLE`, as on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Corrupted => "CORRUPTED",
            Self::Incompatible => "INCOMPATIBLE",
        }
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// What was found in one file. What could not be learned is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// Its length, in bytes.
    pub file_bytes: Option<u64>,
    /// Its version, also when it is too new: `1.0`.
    pub version: Option<String>,
    /// Whether it says that all its rows are there.
    pub status: Option<Status>,
    /// What its rows are.
    pub kind: Option<String>,
    /// How many rows it has.
    pub rows: Option<u64>,
    /// What proves its payloads: in a file with [`Integrity::Unverified`] a changed byte may go
    /// unseen.
    pub integrity: Option<Integrity>,
    /// The last level that was looked at: the one asked for, or the one with findings.
    pub level: Level,
    /// What is wrong; nothing, for a good file.
    pub findings: Vec<Finding>,
}

impl Report {
    pub(crate) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            file_bytes: None,
            version: None,
            status: None,
            kind: None,
            rows: None,
            integrity: None,
            level: Level::Size,
            findings: Vec::new(),
        }
    }

    /// The verdict: that of the worst finding, and damage is worse than not fitting.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        match self.findings.iter().map(|finding| finding.severity).max() {
            None => Outcome::Ok,
            Some(Severity::Incompatible) => Outcome::Incompatible,
            Some(Severity::Corrupted) => Outcome::Corrupted,
        }
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.findings.is_empty()
    }

    /// The findings in one line; empty for a good file.
    #[must_use]
    pub fn reason(&self) -> String {
        self.findings.iter().map(Finding::to_string).collect::<Vec<_>>().join("; ")
    }
}
