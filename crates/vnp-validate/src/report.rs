//! The report on one file: what it is, and what is wrong with it.

use std::fmt;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Integrity, Status};
use vnp_escape::listed;

use crate::finding::{Finding, Severity};
use crate::level::Level;

/// The verdict on a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// Nothing is wrong down to the requested level.
    Ok,
    /// Damaged, hostile, unfinished, or missing.
    Corrupted,
    /// Intact, but not for this release or this use.
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

/// The report on one file. What could not be determined is `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Report {
    /// The file.
    pub path: PathBuf,
    /// The size of the file.
    pub file_bytes: Option<u64>,
    /// The version of its format, such as `1.0`; also if it is too new.
    pub version: Option<String>,
    /// Whether its header says that all its rows were computed.
    pub status: Option<Status>,
    /// The kind of its rows.
    pub kind: Option<String>,
    /// The number of its rows.
    pub rows: Option<u64>,
    /// What proves its payloads; in a file with [`Integrity::Unverified`] a changed byte may go
    /// unnoticed.
    pub integrity: Option<Integrity>,
    /// The last level that was inspected: the requested one, or the one with findings.
    pub level: Level,
    /// What is wrong; empty for a good file.
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

    /// The verdict: that of the worst finding. Corrupted is worse than incompatible.
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

    /// The findings in one line, the first few of many; empty for a good file.
    #[must_use]
    pub fn reason(&self) -> String {
        listed(self.findings.iter(), 8, "; ")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::finding::Code;

    #[test]
    fn a_reason_is_one_short_line_whatever_the_findings() {
        let mut report = Report::new(Path::new("a.vnp"));
        let finding =
            |at: usize| Finding::new(Code::NonFinite, format!("t{at}\n"), "numbers", "NaN");
        report.findings = (0..2).map(finding).collect();
        assert!(
            report.reason().contains("t0\\n: expected numbers, found NaN"),
            "{}",
            report.reason()
        );
        assert_eq!(report.reason().matches("; ").count(), 1);
        report.findings = (0..1_000_000).map(finding).collect();
        assert!(report.reason().ends_with("; and 999992 more"), "{}", report.reason());
    }
}
