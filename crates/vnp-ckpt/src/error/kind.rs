//! The kinds of failure: one variant per case that a caller may want to distinguish.

use std::io;

use vnp_escape::{sentence, shown};

use crate::read::mistaken::Mistaken;
use crate::tensor::dtype::Dtype;
use crate::version::Version;

/// What went wrong, without the file that it concerns: an [`Error`](crate::Error) adds that.
///
/// No message repeats the text of its source: whoever prints an error prints its sources too.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ErrorKind {
    /// The file could not be opened or read; nothing is known about its contents.
    #[error("cannot read")]
    Io {
        /// The error of the operating system.
        source: io::Error,
    },
    /// The path is a directory, a pipe or a device.
    #[error("not a regular file")]
    NotAFile,
    /// The memory for a payload could not be allocated.
    #[error(
        "no memory for {bytes} bytes of section `{section}`: free some, or read fewer rows at a \
         time",
        section = shown(section)
    )]
    OutOfMemory {
        /// The section that was to be read.
        section: String,
        /// The size of the allocation.
        bytes: u64,
    },
    /// The file was written by a newer release than this one.
    #[error(
        "checkpoint version {found} is newer than {current}, which this vnp reads: upgrade vnp"
    )]
    TooNew {
        /// The version that the file states.
        found: Version,
        /// The newest version that this crate reads.
        current: Version,
    },
    /// A version that is not `MAJOR.MINOR` or `MAJOR.MINOR.PATCH`.
    #[error(
        "checkpoint version `{found}` is malformed: expected MAJOR.MINOR, such as 1.0",
        found = shown(found)
    )]
    MalformedVersion {
        /// The version as found, shortened where it is long.
        found: String,
    },
    /// A field that every checkpoint of this version has is missing.
    #[error(
        "the header has no field `{field}`: write the file again with this vnp",
        field = shown(field)
    )]
    MissingField {
        /// The missing field, with dots between levels.
        field: String,
    },
    /// The file does not start with the magic bytes of any known checkpoint.
    #[error("the file is not a checkpoint{}", instead(*mistaken))]
    NotACheckpoint {
        /// What it is, where that is known.
        mistaken: Option<Mistaken>,
    },
    /// The file ends early.
    #[error(
        "the file is truncated: expected {expected_bytes} bytes, found {found_bytes}: remove it \
         and compute it again"
    )]
    Truncated {
        /// The length that the file states, or the least that a file must have.
        expected_bytes: u64,
        /// The length found.
        found_bytes: u64,
    },
    /// Bytes follow the end that the file states.
    #[error(
        "the file has bytes after its end: expected {expected_bytes} bytes, found {found_bytes}: \
         remove it and compute it again"
    )]
    Surplus {
        /// The length that the file states.
        expected_bytes: u64,
        /// The length found.
        found_bytes: u64,
    },
    /// The header, or one field of it, is not what the format allows.
    #[error(
        "header field `{field}`: expected {expected}, found {found}",
        field = shown(field), expected = sentence(expected), found = sentence(found)
    )]
    BadHeader {
        /// The field, with dots between levels.
        field: String,
        /// What the format requires.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A part of the file does not have the digest that was recorded for it.
    #[error(
        "section `{section}` does not match its digest: the file is damaged, remove it and \
         compute it again",
        section = shown(section)
    )]
    DigestMismatch {
        /// `preamble`, `header`, or the section's name.
        section: String,
    },
    /// The ZIP archive of a PyTorch file is not what PyTorch writes.
    #[error(
        "archive record `{record}`: expected {expected}, found {found}: the file is damaged, \
         remove it and compute it again",
        record = shown(record), expected = sentence(expected), found = sentence(found)
    )]
    BadArchive {
        /// The record, or the part of the archive, such as `end record`.
        record: String,
        /// What PyTorch writes.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// A record of a PyTorch file does not have the CRC-32 that was recorded for it.
    #[error(
        "record `{record}` does not match its CRC: the file is damaged, remove it and compute it \
         again",
        record = shown(record)
    )]
    CrcMismatch {
        /// The record.
        record: String,
    },
    /// The pickle of a PyTorch file is malformed, or describes something that no checkpoint holds.
    #[error(
        "{position}: expected {expected}, found {found}",
        position = sentence(position), expected = sentence(expected), found = sentence(found)
    )]
    BadPickle {
        /// The position, such as `byte 17 of data.pkl`.
        position: String,
        /// What a checkpoint has there.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The pickle of a PyTorch file names a class or function that no checkpoint needs. Nothing
    /// was executed; nothing ever is.
    #[error("{position}: {}", forbidden(global, *may_run), position = sentence(position))]
    ForbiddenGlobal {
        /// The position, such as `byte 17 of data.pkl`.
        position: String,
        /// Module and name, with a dot between, shortened where it is long.
        global: String,
        /// Whether it is one with which Python may run a program; any other is only unknown here.
        may_run: bool,
    },
    /// The description of a tensor in a PyTorch or safetensors file contradicts itself or the file.
    #[error(
        "tensor {tensor}: expected {expected}, found {found}",
        tensor = shown(tensor), expected = sentence(expected), found = sentence(found)
    )]
    BadTensor {
        /// The tensor: its name, or its position.
        tensor: String,
        /// What would fit.
        expected: String,
        /// What the file holds.
        found: String,
    },
    /// The file is whole, and holds something that this crate does not read.
    #[error("{what} is not supported: {remedy}", what = sentence(what))]
    Unsupported {
        /// What is not read.
        what: String,
        /// What can be done.
        remedy: &'static str,
    },
    /// A limit of [`Limits`](crate::Limits) would be exceeded; nothing was allocated for it.
    #[error(
        "{found} exceeds the limit `{limit}` of {allowed}, which only a program that uses the library \
         can raise"
    )]
    LimitExceeded {
        /// The name of the field of `Limits`.
        limit: &'static str,
        /// The limit.
        allowed: u64,
        /// The size or count that would exceed it.
        found: u64,
    },
    /// Two statements contradict each other: in a file, or in the input of a builder.
    #[error(
        "{subject}: expected {expected}, found {found}",
        subject = sentence(subject), expected = sentence(expected), found = sentence(found)
    )]
    Inconsistent {
        /// What is inconsistent.
        subject: String,
        /// What the rest of the file implies.
        expected: String,
        /// What was found.
        found: String,
    },
    /// A tensor was asked for values of a type that it does not hold.
    #[error("the tensor holds {found}, not {expected}")]
    WrongDtype {
        /// The type asked for.
        expected: Dtype,
        /// The type that the tensor holds.
        found: Dtype,
    },
    /// No row tensor has the name that was asked for.
    #[error(
        "there is no row tensor `{name}`: the header lists those that exist",
        name = shown(name)
    )]
    NoSuchTensor {
        /// The name.
        name: String,
    },
    /// Saving failed; an existing file of this name is unchanged.
    #[error("the file was not saved; what was there before is unchanged")]
    NotCommitted {
        /// The cause of the failure.
        source: io::Error,
    },
    /// The new contents are in position, but may not survive a loss of power: the directory could
    /// not be brought to disk after the rename.
    #[error(
        "the file is saved but may be lost if the machine loses power now: check the disk, then \
         save again"
    )]
    DurabilityUncertain {
        /// The cause of the failure.
        source: io::Error,
    },
}

fn instead(mistaken: Option<Mistaken>) -> String {
    match mistaken {
        Some(Mistaken { what, remedy }) => format!(" but {what}: {remedy}"),
        None => ": its first bytes are those of none of the formats read".to_owned(),
    }
}

fn forbidden(global: &str, may_run: bool) -> String {
    let global = shown(global);
    if may_run {
        return format!(
            "`{global}` does not belong in a checkpoint: do not load this file with Python, it may \
             run a program"
        );
    }
    format!(
        "unsupported class `{global}`: save the file again, where it was written, with tensors, texts \
         and numbers only, such as the state_dict"
    )
}

/// Constructors of the kinds that say what was expected and what was found.
macro_rules! constructors {
    ($($name:ident => $variant:ident { $subject:ident };)+) => {
        #[allow(dead_code, reason = "some are of features")]
        impl ErrorKind {
            $(pub(crate) fn $name(
                $subject: impl Into<String>,
                expected: impl Into<String>,
                found: impl Into<String>,
            ) -> Self {
                let ($subject, expected, found) = ($subject.into(), expected.into(), found.into());
                Self::$variant { $subject, expected, found }
            })+
        }
    };
}

constructors! {
    bad_header => BadHeader { field };
    bad_archive => BadArchive { record };
    bad_pickle => BadPickle { position };
    bad_tensor => BadTensor { tensor };
    inconsistent => Inconsistent { subject };
}

#[allow(dead_code, reason = "some are of features")]
impl ErrorKind {
    pub(crate) fn io(source: io::Error) -> Self {
        Self::Io { source }
    }

    pub(crate) fn out_of_memory(section: impl Into<String>, bytes: u64) -> Self {
        Self::OutOfMemory { section: section.into(), bytes }
    }

    pub(crate) fn missing_field(field: impl Into<String>) -> Self {
        Self::MissingField { field: field.into() }
    }

    pub(crate) fn unsupported(what: impl Into<String>, remedy: &'static str) -> Self {
        Self::Unsupported { what: what.into(), remedy }
    }

    /// The error of a read at `offset` in a file whose length was `file_bytes` when it was opened.
    pub(crate) fn read_at(source: io::Error, file_bytes: u64, offset: u64) -> Self {
        match source.kind() {
            io::ErrorKind::UnexpectedEof => {
                Self::Truncated { expected_bytes: file_bytes, found_bytes: offset.min(file_bytes) }
            }
            _ => Self::Io { source },
        }
    }
}
