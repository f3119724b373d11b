//! Findings: everything that can be wrong with a checkpoint, and the remedies.

use std::fmt;

use vnp_escape::sentence;

use crate::level::Level;

/// Whether a file is damaged, or intact but not usable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Intact, but not for this release or this use.
    Incompatible,
    /// Damaged, hostile, unfinished, or missing.
    Corrupted,
}

/// One thing that is wrong with a checkpoint.
///
/// Displays as one line: `truncated: file: expected 576 bytes, found 100 bytes: remove it ...`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The stable name of the problem.
    pub code: Code,
    /// The severity of the code: [`Code::severity`].
    pub severity: Severity,
    /// The part of the file that is wrong.
    pub subject: String,
    /// What was expected.
    pub expected: String,
    /// What was found.
    pub found: String,
}

impl Finding {
    /// A finding of this code. Texts of more than 1000 letters are cut, and end in `…`: a report on a tree
    /// of files must not hold their headers.
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
            subject: bounded(subject.into()),
            expected: bounded(expected.into()),
            found: bounded(found.into()),
        }
    }
}

pub(crate) fn bounded(mut text: String) -> String {
    const LETTERS: usize = 1000;
    if let Some((end, _)) = text.char_indices().nth(LETTERS) {
        text.truncate(end);
        text.push('…');
        text.shrink_to_fit();
    }
    text
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { code, subject, expected, found, .. } = self;
        // Names and values from the file may contain any character; the finding must stay one short line.
        let (subject, expected, found) = (sentence(subject), sentence(expected), sentence(found));
        write!(f, "{code}: {subject}: expected {expected}, found {found}: {}", code.remedy())
    }
}

/// Defines [`Code`] from one row per code, so that no list of codes can be incomplete.
macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $name:literal, $severity:ident, $level:ident, $remedy:literal;)*) => {
        /// The stable name of a problem, in kebab-case.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $variant,)*
        }

        impl Code {
            /// Every code.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The name, such as `not-complete`. It never changes.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether a file with this problem is corrupted or incompatible.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$variant => Severity::$severity),* }
            }

            /// The first level that finds the problem.
            #[must_use]
            pub const fn level(self) -> Level {
                match self { $(Self::$variant => Level::$level),* }
            }

            /// What a user should do about it.
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
    /// The file cannot be read. Reported only in a tree, where the other files are still validated.
    Unreadable = "unreadable", Corrupted, Size, "check its permissions and the disk";
    /// The file has no bytes.
    Empty = "empty", Corrupted, Size, "remove it and compute it again";
    /// The first bytes are not those of a known kind of checkpoint.
    NotACheckpoint = "not-a-checkpoint", Corrupted, Container, "move it away";
    /// The version is newer than this release.
    TooNew = "too-new", Incompatible, Container, "upgrade vnp";
    /// The version is not MAJOR.MINOR.
    MalformedVersion = "malformed-version", Incompatible, Container, "write it again with this vnp";
    /// A required field of the header is missing.
    MissingField = "missing-field", Incompatible, Container, "write it again with this vnp";
    /// The file is shorter than its header says.
    Truncated = "truncated", Corrupted, Container, "remove it and compute it again";
    /// The file is longer than its header says.
    Surplus = "surplus", Corrupted, Container, "remove it and compute it again";
    /// Bytes before the sections are not those that were written.
    DamagedHeader = "damaged-header", Corrupted, Container, "remove it and compute it again";
    /// The header cannot be decoded, or a field is not what the format allows.
    BadHeader = "bad-header", Corrupted, Container, "remove it and compute it again";
    /// Two statements in the file contradict each other, or padding is not zero.
    Inconsistent = "inconsistent", Corrupted, Container, "remove it and compute it again";
    /// The archive of a PyTorch file is not what PyTorch writes.
    BadArchive = "bad-archive", Corrupted, Container, "remove it and compute it again";
    /// The pickle of a PyTorch file is malformed, or does not describe a checkpoint.
    BadPickle = "bad-pickle", Corrupted, Container, "remove it and compute it again";
    /// The pickle of a PyTorch file names a class or function that no checkpoint needs.
    ForbiddenGlobal = "forbidden-global", Corrupted, Container, "do not load it with Python, it may run a program";
    /// The description of a tensor contradicts itself or the file.
    BadTensor = "bad-tensor", Corrupted, Container, "remove it and compute it again";
    /// The file is intact, but uses something that this release does not read.
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
    /// A required tensor is missing.
    MissingTensor = "missing-tensor", Incompatible, Keys, "compute it again with this vnp";
    /// A tensor has another element type.
    WrongDtype = "wrong-dtype", Incompatible, Tensors, "compute it again with this model and precision";
    /// A tensor has another shape after its rows.
    WrongShape = "wrong-shape", Incompatible, Tensors, "compute it again with this model";
    /// A tensor does not have one row per id.
    RowCount = "row-count", Corrupted, Tensors, "remove it and compute it again";
    /// A tensor contains NaN or an infinity.
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
    fn a_finding_is_short_however_long_what_was_found() {
        let long = "x".repeat(1 << 24);
        let finding = Finding::new(Code::WrongKind, "kind", "`scores`", format!("`{long}`"));
        assert!(finding.to_string().len() < 1200, "{}", finding.to_string().len());
        assert!(finding.found.capacity() < 2000 && finding.found.ends_with("x…"));
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
