//! The header: the description of a checkpoint, before any payload.

use std::collections::BTreeMap;
use std::fmt;

use crate::digest::Digest;
use crate::rows::RowRange;
use crate::tensor::dtype::Dtype;
use crate::value::Value;
use crate::version::Version;

pub(crate) mod decode;
pub(crate) mod description;
pub(crate) mod encode;
pub(crate) mod fields;
pub(crate) mod layout;
pub(crate) mod preamble;

/// The name of the section that holds the ids.
pub(crate) const IDS: &str = "ids";

/// Whether the work that a checkpoint holds was finished when it was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Status {
    /// Written before its rows were all computed: not to be relied on.
    InProgress,
    /// All rows are there.
    #[default]
    Complete,
}

impl Status {
    /// `in_progress` or `complete`, as in the file.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InProgress => "in_progress",
            Self::Complete => "complete",
        }
    }
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// The program that wrote a checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Producer {
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
}

impl Default for Producer {
    /// This crate and its version.
    fn default() -> Self {
        Self {
            name: env!("CARGO_PKG_NAME").to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
        }
    }
}

/// The contents of a section.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Encoding {
    /// Texts: the ids.
    Strings {
        /// How many.
        count: u64,
    },
    /// A dense array.
    Tensor {
        /// The type of its elements.
        dtype: Dtype,
        /// Its dimensions, the slowest first.
        shape: Vec<usize>,
        /// Whether its first dimension counts the checkpoint's rows.
        per_row: bool,
    },
}

impl Encoding {
    /// Bytes of one row of a row tensor whose length was checked.
    pub(crate) fn row_bytes(&self) -> Option<u64> {
        match self {
            Self::Tensor { dtype, shape, per_row: true } => {
                let (_, row) = shape.split_first()?;
                let elements = row.iter().map(|&size| size as u64).product::<u64>();
                Some(elements * dtype.size_bytes() as u64)
            }
            _ => None,
        }
    }
}

/// One payload: its position, its encoding, and its digest.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Section {
    /// Its name, unique in the file.
    pub name: String,
    /// Its contents.
    pub encoding: Encoding,
    /// Where it starts, in bytes from the start of the file; a multiple of 64.
    pub offset: u64,
    /// Its length in bytes, without padding.
    pub length: u64,
    /// The digest of its bytes, without padding.
    pub digest: Digest,
    /// Fields that this version does not know, kept for the next save.
    pub unknown: BTreeMap<String, Value>,
}

impl Section {
    /// Where it ends, without padding.
    pub(crate) fn end(&self) -> u64 {
        self.offset.saturating_add(self.length)
    }
}

/// The header of a checkpoint: everything but the ids and the tensors.
///
/// Read with [`read_header`](crate::read_header), which touches no payload.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Header {
    /// The version of the file as it was read; [`Version::CURRENT`] for one that was built.
    pub version: Version,
    /// Whether all rows are there.
    pub status: Status,
    /// The kind of the rows, named by the program that wrote them: `nucleotide`, for example.
    pub kind: String,
    /// Which rows of the stage these are.
    pub rows: RowRange,
    /// When it was written: RFC 3339, UTC.
    pub created: String,
    /// The program that wrote it.
    pub producer: Producer,
    /// The payloads in file order; the ids first.
    pub sections: Vec<Section>,
    /// Further values that the program stored.
    pub metadata: BTreeMap<String, Value>,
    /// Fields that this version does not know, kept for the next save.
    pub unknown: BTreeMap<String, Value>,
    /// The same of the producer.
    pub(crate) producer_unknown: BTreeMap<String, Value>,
}

impl Header {
    /// The header without offsets, lengths and digests, which depend on the file.
    pub(crate) fn without_offsets(&self) -> Self {
        let mut header = self.clone();
        for section in &mut header.sections {
            (section.offset, section.length, section.digest) = (0, 0, Digest::default());
        }
        header
    }
}
