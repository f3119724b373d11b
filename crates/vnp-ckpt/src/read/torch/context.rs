//! What every step of reading a file knows, and the errors made from it.

use std::path::Path;

use crate::{Error, Limits, limits};

/// A file being read: its path and what it may ask for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Context<'a> {
    pub(crate) path: &'a Path,
    pub(crate) limits: &'a Limits,
}

impl Context<'_> {
    pub(crate) fn out_of_memory(self, section: &str, bytes: u64) -> Error {
        Error::OutOfMemory { path: self.path.to_owned(), section: section.to_owned(), bytes }
    }

    pub(crate) fn limit(
        self,
        limit: &'static str,
        allowed: u64,
        found: impl TryInto<u64>,
    ) -> Result<(), Error> {
        limits::check(limit, allowed, found.try_into().unwrap_or(u64::MAX))
            .map_err(|error| error.in_file(self.path))
    }

    pub(crate) fn bad_archive(
        self,
        record: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::BadArchive {
            path: self.path.to_owned(),
            record: record.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn bad_pickle(
        self,
        place: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::BadPickle {
            path: self.path.to_owned(),
            place: place.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn bad_tensor(
        self,
        tensor: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::BadTensor {
            path: self.path.to_owned(),
            tensor: tensor.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn inconsistent(
        self,
        subject: impl Into<String>,
        expected: impl Into<String>,
        found: impl Into<String>,
    ) -> Error {
        Error::Inconsistent {
            path: Some(self.path.to_owned()),
            subject: subject.into(),
            expected: expected.into(),
            found: found.into(),
        }
    }

    pub(crate) fn unsupported(self, what: impl Into<String>, remedy: &'static str) -> Error {
        Error::Unsupported { path: self.path.to_owned(), what: what.into(), remedy }
    }
}

/// Text from a file as a message may show it: one line, not long.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_CHARS: usize = 60;
    let text = String::from_utf8_lossy(bytes.get(..4 * SHOWN_CHARS).unwrap_or(bytes));
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() || bytes.len() > 4 * SHOWN_CHARS {
        shown.push_str("...");
    }
    shown
}
