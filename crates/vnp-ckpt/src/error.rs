//! The error of this crate: what went wrong, and the file that it concerns.

use std::fmt;
use std::path::{Path, PathBuf};

use vnp_escape::{escaped, escaped_path};

pub(crate) mod kind;

use kind::ErrorKind;

/// A failure of this crate: its [kind](ErrorKind), and the file concerned where there is one.
///
/// [`Error::is_incompatible`] and [`Error::is_corrupted`] classify the failures of reading; a
/// failure that is neither (a file that cannot be opened, for example) says nothing about the
/// file's contents.
///
/// Its message does not repeat that of its source; `{error:#}` prints both in one line.
///
/// ```
/// use std::path::Path;
/// use vnp_ckpt::{Checkpoint, ErrorKind, Limits};
///
/// let error = Checkpoint::open(Path::new("missing.vnp"), &Limits::default()).unwrap_err();
/// assert!(matches!(error.kind(), ErrorKind::Io { .. }));
/// assert_eq!(error.path(), Some(Path::new("missing.vnp")));
/// assert_eq!(error.to_string(), "missing.vnp: cannot read");
/// ```
#[derive(Debug)]
pub struct Error {
    path: Option<PathBuf>,
    kind: ErrorKind,
}

impl Error {
    /// The file concerned; `None` for errors of builders and conversions, which touch no file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// What went wrong.
    #[must_use]
    pub fn kind(&self) -> &ErrorKind {
        &self.kind
    }

    /// What went wrong, without the file.
    #[must_use]
    pub fn into_kind(self) -> ErrorKind {
        self.kind
    }

    /// Whether the file is whole but not for this release: too new, a malformed version, a required
    /// field missing, or contents or classes that are not supported.
    #[must_use]
    pub fn is_incompatible(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::TooNew { .. }
                | ErrorKind::MalformedVersion { .. }
                | ErrorKind::MissingField { .. }
                | ErrorKind::Unsupported { .. }
                | ErrorKind::ForbiddenGlobal { may_run: false, .. }
        )
    }

    /// Whether the file was inspected and is damaged, hostile, or not a checkpoint at all.
    #[must_use]
    pub fn is_corrupted(&self) -> bool {
        matches!(
            self.kind,
            ErrorKind::NotACheckpoint { .. }
                | ErrorKind::Truncated { .. }
                | ErrorKind::Surplus { .. }
                | ErrorKind::BadHeader { .. }
                | ErrorKind::DigestMismatch { .. }
                | ErrorKind::BadArchive { .. }
                | ErrorKind::CrcMismatch { .. }
                | ErrorKind::BadPickle { .. }
                | ErrorKind::ForbiddenGlobal { may_run: true, .. }
                | ErrorKind::BadTensor { .. }
                | ErrorKind::LimitExceeded { .. }
                | ErrorKind::Inconsistent { .. }
        )
    }
}

impl ErrorKind {
    /// The error of this kind about a file.
    #[must_use]
    pub fn in_file(self, path: &Path) -> Error {
        Error { path: Some(path.to_owned()), kind: self }
    }
}

/// An error about no file.
impl From<ErrorKind> for Error {
    fn from(kind: ErrorKind) -> Self {
        Self { path: None, kind }
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = &self.path {
            write!(f, "{}: ", escaped_path(path))?;
        }
        self.kind.fmt(f)?;
        match std::error::Error::source(self) {
            Some(source) if f.alternate() => write!(f, ": {}", escaped(source)),
            _ => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        std::error::Error::source(&self.kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::version::Version;

    #[test]
    fn messages_name_both_versions_and_the_way_out() {
        let kind = ErrorKind::TooNew { found: Version::new(1, 1, 0), current: Version::CURRENT };
        let error = kind.in_file(Path::new("a.vnp"));
        assert_eq!(
            error.to_string(),
            "a.vnp: checkpoint version 1.1 is newer than 1.0, which this vnp reads: upgrade vnp"
        );
        assert!(error.is_incompatible() && !error.is_corrupted());
        assert_eq!(error.path(), Some(Path::new("a.vnp")));
    }

    #[test]
    fn an_error_without_a_file_has_no_prefix() {
        let error = || ErrorKind::inconsistent("ids", "3", "2");
        assert_eq!(Error::from(error()).to_string(), "ids: expected 3, found 2");
        let in_file = error().in_file(Path::new("a.vnp"));
        assert_eq!(in_file.to_string(), "a.vnp: ids: expected 3, found 2");
    }

    #[test]
    fn a_message_does_not_repeat_its_source() {
        let kind = ErrorKind::NotCommitted { source: std::io::Error::other("no space") };
        let error = kind.in_file(Path::new("a.vnp"));
        assert!(!error.to_string().contains("no space"), "{error}");
        let source = std::error::Error::source(&error).map(ToString::to_string);
        assert_eq!(source.as_deref(), Some("no space"));
        assert_eq!(format!("{error:#}"), format!("{error}: no space"));
    }
}
