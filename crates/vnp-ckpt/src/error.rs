//! What can go wrong, one variant for each thing a caller may want to tell apart.

use std::io;
use std::path::{Path, PathBuf};

use crate::{Dtype, Version};

/// Any failure of this crate.
///
/// [`Error::is_incompatible`] and [`Error::is_corrupted`] sort the failures of reading; what is
/// neither (a file that cannot be opened, say) tells nothing about the file's contents.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The file could not be opened or read; nothing is known about its contents.
    #[error("cannot read {path}: {source}", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The path is a directory, a pipe or a device.
    #[error("{path} is not a regular file", path = path.display())]
    NotAFile {
        /// The path.
        path: PathBuf,
    },
    /// Memory for a payload could not be had.
    #[error("{path}: no memory for {bytes} bytes of section `{section}`: free some, or read fewer \
             rows at a time", path = path.display())]
    OutOfMemory {
        /// The file.
        path: PathBuf,
        /// The section that was to be read.
        section: String,
        /// How much was asked for.
        bytes: u64,
    },
    /// The file was written by a newer release than this one.
    #[error("{path}: checkpoint version {found} is newer than {current}, which this vnp reads: \
             upgrade vnp", path = path.display())]
    TooNew {
        /// The file.
        path: PathBuf,
        /// The version it states.
        found: Version,
        /// The newest version that this crate reads.
        current: Version,
    },
    /// A version that is not `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`.
    #[error("{}checkpoint version `{found}` is malformed: expected MAJOR.MINOR, such as 1.0",
            at(path.as_deref()))]
    MalformedVersion {
        /// The file, where the version came from one.
        path: Option<PathBuf>,
        /// The version as found, shortened where it is long.
        found: String,
    },
    /// A field that every checkpoint of this version has is missing.
    #[error("{path}: the header has no field `{field}`: write the file again with this vnp",
            path = path.display())]
    MissingField {
        /// The file.
        path: PathBuf,
        /// The missing field, with dots between levels.
        field: String,
    },
    /// The file does not start with the magic bytes of any known checkpoint.
    #[error("{path} is not a checkpoint: it starts like none of the formats \
             that are read",
            path = path.display())]
    NotACheckpoint {
        /// The file.
        path: PathBuf,
    },
    /// The file ends early.
    #[error("{path} is truncated: expected {expected_bytes} bytes, found {found_bytes}: remove it \
             and compute it again", path = path.display())]
    Truncated {
        /// The file.
        path: PathBuf,
        /// The length that the file states, or the least that a file must have.
        expected_bytes: u64,
        /// The length found.
        found_bytes: u64,
    },
    /// Bytes follow the end that the file states.
    #[error("{path} has bytes after its end: expected {expected_bytes} bytes, found {found_bytes}: \
             remove it and compute it again", path = path.display())]
    Surplus {
        /// The file.
        path: PathBuf,
        /// The length that the file states.
        expected_bytes: u64,
        /// The length found.
        found_bytes: u64,
    },
    /// The header, or one field of it, is not what the format allows.
    #[error("{path}: header field `{field}`: expected {expected}, found {found}",
            path = path.display())]
    BadHeader {
        /// The file.
        path: PathBuf,
        /// The field, with dots between levels.
        field: String,
        /// What the format asks for.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A part of the file does not have the digest that was recorded for it.
    #[error("{path}: section `{section}` does not match its digest: the file is damaged, remove \
             it and compute it again", path = path.display())]
    DigestMismatch {
        /// The file.
        path: PathBuf,
        /// `preamble`, `header`, or the section's name.
        section: String,
    },
    /// The ZIP archive of a PyTorch file is not what PyTorch writes.
    #[error("{path}: archive record `{record}`: expected {expected}, found {found}: the file is \
             damaged, remove it and compute it again", path = path.display())]
    BadArchive {
        /// The file.
        path: PathBuf,
        /// The record, or the part of the archive: `end record`, say.
        record: String,
        /// What PyTorch writes.
        expected: String,
        /// What is there.
        found: String,
    },
    /// A record of a PyTorch file does not have the CRC-32 that was recorded for it.
    #[error("{path}: record `{record}` does not match its CRC: the file is damaged, remove it and \
             compute it again", path = path.display())]
    CrcMismatch {
        /// The file.
        path: PathBuf,
        /// The record.
        record: String,
    },
    /// The pickle of a PyTorch file means nothing, or something that no checkpoint means.
    #[error("{path}: {place}: expected {expected}, found {found}", path = path.display())]
    BadPickle {
        /// The file.
        path: PathBuf,
        /// Where: `byte 17 of data.pkl`.
        place: String,
        /// What a checkpoint has there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The pickle of a PyTorch file names a class or function that no checkpoint needs. Nothing
    /// was executed; nothing ever is.
    #[error("{path}: {place}: `{global}` has no place in a checkpoint: do not load this file with \
             Python, it may run a program", path = path.display())]
    ForbiddenGlobal {
        /// The file.
        path: PathBuf,
        /// Where: `byte 17 of data.pkl`.
        place: String,
        /// Module and name, with a dot between, shortened where it is long.
        global: String,
    },
    /// What a PyTorch or safetensors file says of a tensor contradicts itself or the file.
    #[error("{path}: tensor {tensor}: expected {expected}, found {found}", path = path.display())]
    BadTensor {
        /// The file.
        path: PathBuf,
        /// The tensor: its name, or where it is.
        tensor: String,
        /// What would fit.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The file is whole, and holds what this crate does not read.
    #[error("{path}: {what} is not supported: {remedy}", path = path.display())]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What is not read.
        what: String,
        /// What can be done.
        remedy: &'static str,
    },
    /// A limit of [`Limits`](crate::Limits) would be passed; nothing was allocated for it.
    #[error("{}{found} exceeds the limit `{limit}` of {allowed}: raise it if the file is trusted",
            at(path.as_deref()))]
    LimitExceeded {
        /// The file, where there is one.
        path: Option<PathBuf>,
        /// The name of the field of `Limits`.
        limit: &'static str,
        /// The limit.
        allowed: u64,
        /// What was asked for.
        found: u64,
    },
    /// Two statements contradict each other: in a file, or in what a builder was given.
    #[error("{}{subject}: expected {expected}, found {found}", at(path.as_deref()))]
    Inconsistent {
        /// The file, where there is one.
        path: Option<PathBuf>,
        /// What is inconsistent.
        subject: String,
        /// What it should be by the rest of the file.
        expected: String,
        /// What it is.
        found: String,
    },
    /// A tensor was asked for values of a type that it does not hold.
    #[error("the tensor holds {found}, not {expected}")]
    WrongDtype {
        /// What was asked for.
        expected: Dtype,
        /// What the tensor holds.
        found: Dtype,
    },
    /// No row tensor has the name that was asked for.
    #[error("there is no row tensor `{name}`: the header says which there are")]
    NoSuchTensor {
        /// The name.
        name: String,
    },
    /// Saving failed; the file of this name, if there was one, is as it was.
    #[error("{path} was not saved and is as it was before: {source}", path = path.display())]
    NotCommitted {
        /// The file that was to be written.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
    /// The new contents are in place, but may not survive a loss of power: the directory could
    /// not be brought to disk after the rename.
    #[error("{path} is saved but may be lost if the machine loses power now: {source}: check the \
             disk, then save again", path = path.display())]
    DurabilityUncertain {
        /// The file that was written.
        path: PathBuf,
        /// What failed.
        source: io::Error,
    },
}

impl Error {
    /// The file concerned; `None` for errors of builders and conversions, which touch no file.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Io { path, .. }
            | Self::NotAFile { path }
            | Self::OutOfMemory { path, .. }
            | Self::TooNew { path, .. }
            | Self::MissingField { path, .. }
            | Self::NotACheckpoint { path }
            | Self::Truncated { path, .. }
            | Self::Surplus { path, .. }
            | Self::BadHeader { path, .. }
            | Self::DigestMismatch { path, .. }
            | Self::BadArchive { path, .. }
            | Self::CrcMismatch { path, .. }
            | Self::BadPickle { path, .. }
            | Self::ForbiddenGlobal { path, .. }
            | Self::BadTensor { path, .. }
            | Self::Unsupported { path, .. }
            | Self::NotCommitted { path, .. }
            | Self::DurabilityUncertain { path, .. } => Some(path),
            Self::MalformedVersion { path, .. }
            | Self::LimitExceeded { path, .. }
            | Self::Inconsistent { path, .. } => path.as_deref(),
            Self::WrongDtype { .. } | Self::NoSuchTensor { .. } => None,
        }
    }

    /// Whether the file is whole but not for this release: too new, a version that means nothing,
    /// a required field missing, or contents that are not supported.
    #[must_use]
    pub fn is_incompatible(&self) -> bool {
        matches!(
            self,
            Self::TooNew { .. }
                | Self::MalformedVersion { .. }
                | Self::MissingField { .. }
                | Self::Unsupported { .. }
        )
    }

    /// Whether the file was looked at and is damaged, hostile, or no checkpoint at all.
    #[must_use]
    pub fn is_corrupted(&self) -> bool {
        matches!(
            self,
            Self::NotACheckpoint { .. }
                | Self::Truncated { .. }
                | Self::Surplus { .. }
                | Self::BadHeader { .. }
                | Self::DigestMismatch { .. }
                | Self::BadArchive { .. }
                | Self::CrcMismatch { .. }
                | Self::BadPickle { .. }
                | Self::ForbiddenGlobal { .. }
                | Self::BadTensor { .. }
                | Self::LimitExceeded { .. }
                | Self::Inconsistent { .. }
        )
    }

    /// Gives an error that was made without a file the file that it is about.
    pub(crate) fn in_file(mut self, file: &Path) -> Self {
        match &mut self {
            Self::MalformedVersion { path, .. }
            | Self::LimitExceeded { path, .. }
            | Self::Inconsistent { path, .. } => *path = Some(file.to_owned()),
            _ => {}
        }
        self
    }
}

fn at(path: Option<&Path>) -> String {
    path.map(|path| format!("{}: ", path.display())).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_name_both_versions_and_the_way_out() {
        let error = Error::TooNew {
            path: "a.vnp".into(),
            found: Version::new(1, 1, 0),
            current: Version::CURRENT,
        };
        assert_eq!(
            error.to_string(),
            "a.vnp: checkpoint version 1.1 is newer than 1.0, which this vnp reads: upgrade vnp"
        );
        assert!(error.is_incompatible() && !error.is_corrupted());
        assert_eq!(error.path(), Some(Path::new("a.vnp")));
    }

    #[test]
    fn an_error_without_a_file_has_no_prefix() {
        let error = Error::Inconsistent {
            path: None,
            subject: "ids".into(),
            expected: "3".into(),
            found: "2".into(),
        };
        assert_eq!(error.to_string(), "ids: expected 3, found 2");
        assert_eq!(
            error.in_file(Path::new("a.vnp")).to_string(),
            "a.vnp: ids: expected 3, found 2"
        );
    }
}
