//! What can be wrong with a checkpoint.

use std::fmt;

use crate::Level;

/// Whether a file is damaged or merely not for us.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Whole, but not for this release or this use.
    Incompatible,
    /// Damaged, hostile, unfinished, or not there.
    Corrupted,
}

/// One thing that is wrong.
///
/// Displays as one line: `truncated: file: expected 576 bytes, found 100 bytes: remove it ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// What it is.
    pub code: Code,
    /// How bad it is; [`Code::severity`] of the code.
    pub severity: Severity,
    /// The part of the file that it is about.
    pub subject: String,
    /// What should be there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl Finding {
    /// A finding of this code.
    #[must_use]
    pub fn new(
        code: Code,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        Self {
            code,
            severity: code.severity(),
            subject: subject.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, subject, expected, found, .. } = self;
        let line =
            format!("{code}: {subject}: expected {expected}, found {found}: {}", code.remedy());
        // A name or a value from the file may hold anything: a finding stays one line.
        line.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => write!(f, "{c}"),
        })
    }
}

/// Defines [`Code`] from one row for each code, so that no list of them can be incomplete.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $level:ident, $remedy:literal;)*) => {
        /// A stable name for each thing that can be wrong, in kebab-case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name: `not-complete`, say. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// How bad it is.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }

            /// The level that finds it first.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),* }
            }

            /// What to do about it.
            #[must_use]
            pub const fn remedy(self) -> &'static str {
                match self { $(Self::$variant => $remedy),* }
            }
        }
    };
}

codes! {
    /// There is no file of this name.
    Missing = "missing", Corrupted, Size, "compute it again";
    /// The name leads to a directory, a pipe or a device.
    NotAFile = "not-a-file", Corrupted, Size, "move it away";
    /// The file cannot be read; only in a tree, where one such file does not end the others.
    Unreadable = "unreadable", Corrupted, Size, "check its permissions and the disk";
    /// The file has no bytes.
    Empty = "empty", Corrupted, Size, "remove it and compute it again";
    /// The first bytes are those of no known checkpoint.
    NotACheckpoint = "not-a-checkpoint", Corrupted, Container, "move it away";
    /// The version is newer than this release.
    TooNew = "too-new", Incompatible, Container, "upgrade vnp";
    /// The version is no version.
    MalformedVersion = "malformed-version", Incompatible, Container, "write it again with this vnp";
    /// A required field of the header is missing.
    MissingField = "missing-field", Incompatible, Container, "write it again with this vnp";
    /// The file is shorter than it says.
    Truncated = "truncated", Corrupted, Container, "remove it and compute it again";
    /// The file is longer than it says.
    Surplus = "surplus", Corrupted, Container, "remove it and compute it again";
    /// Bytes before the sections are not those that were written.
    DamagedHeader = "damaged-header", Corrupted, Container, "remove it and compute it again";
    /// The header is none, or a field of it is not what the format allows.
    BadHeader = "bad-header", Corrupted, Container, "remove it and compute it again";
    /// Two statements in the file contradict each other, or padding is not zero.
    Inconsistent = "inconsistent", Corrupted, Container, "remove it and compute it again";
    /// The archive of a PyTorch file is not what PyTorch writes.
    BadArchive = "bad-archive", Corrupted, Container, "remove it and compute it again";
    /// The pickle of a PyTorch file means nothing, or nothing that a checkpoint means.
    BadPickle = "bad-pickle", Corrupted, Container, "remove it and compute it again";
    /// The pickle of a PyTorch file names a class or function that no checkpoint needs.
    ForbiddenGlobal = "forbidden-global", Corrupted, Container, "do not load it with Python, it may run a program";
    /// What a file says of a tensor contradicts itself or the file.
    BadTensor = "bad-tensor", Corrupted, Container, "remove it and compute it again";
    /// The file is whole, and holds what this release does not read.
    Unsupported = "unsupported", Incompatible, Container, "convert it with the tool that wrote it";
    /// The file asks for more than the limits allow.
    LimitExceeded = "limit-exceeded", Corrupted, Container, "raise the limit if the file is trusted";
    /// The work was not finished when the file was written.
    NotComplete = "not-complete", Corrupted, Container, "remove it and compute it again";
    /// Bytes of a section are not those that were written.
    DigestMismatch = "digest-mismatch", Corrupted, Digest, "remove it and compute it again";
    /// Bytes of a record of a PyTorch file are not those that were written.
    CrcMismatch = "crc-mismatch", Corrupted, Digest, "remove it and compute it again";
    /// The rows are of another kind.
    WrongKind = "wrong-kind", Incompatible, Keys, "move it to where it belongs";
    /// A tensor that must be there is not.
    MissingTensor = "missing-tensor", Incompatible, Keys, "compute it again with this vnp";
    /// A tensor holds another element type.
    WrongDtype = "wrong-dtype", Incompatible, Tensors, "compute it again with this model and precision";
    /// A tensor has another shape after its rows.
    WrongShape = "wrong-shape", Incompatible, Tensors, "compute it again with this model";
    /// A tensor does not have one row for each id.
    RowCount = "row-count", Corrupted, Tensors, "remove it and compute it again";
    /// A tensor holds NaN or an infinity.
    NonFinite = "non-finite", Corrupted, Tensors, "remove it and compute it again, in f32 if it was not";
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_are_distinct_and_in_kebab_case() {
        let names: BTreeSet<_> = Code::ALL.iter().map(|code| code.name()).collect();
        assert_eq!(names.len(), Code::ALL.len());
        for name in names {
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{name}");
        }
    }

    #[test]
    fn a_finding_is_one_line() {
        let finding = Finding::new(Code::TooNew, "version\n", "at most 1.0", "1.1");
        assert_eq!(
            finding.to_string(),
            "too-new: version\\n: expected at most 1.0, found 1.1: upgrade vnp"
        );
    }
}
