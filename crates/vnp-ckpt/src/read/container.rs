//! The interface of the readers, one per container format, once the header has been read.

use std::fmt;
use std::io::{Read, Seek};
use std::sync::Arc;

use crate::checkpoint::Checkpoint;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header};
use crate::limits::Limits;
use crate::tensor::Tensor;
use crate::tensor::block::Block;

/// Where the bytes come from: a file, or memory.
pub(crate) trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// The properties of a file that are known before its first byte is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// Its length, in bytes.
    pub(crate) length_bytes: u64,
    /// When it was last changed, RFC 3339 in UTC: the time of files that state none.
    #[allow(dead_code, reason = "native files state one")]
    pub(crate) modified: &'a str,
    /// The limits on what a reader does for it.
    pub(crate) limits: &'a Limits,
    /// Whether only tensors count: other values may be described instead of recorded.
    #[allow(dead_code, reason = "of PyTorch files")]
    pub(crate) weights_only: bool,
}

/// The checksums that protect payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Integrity {
    /// A digest for each section, and one for the header: no change goes unseen.
    Digests,
    /// A CRC-32 for each record of a PyTorch file: no accident goes unseen.
    Crc32,
    /// Nothing: PyTorch pre-1.6 (non-zip) files or saved without CRC, and safetensors files. A
    /// changed byte may go unseen.
    Unverified,
}

/// Checkpoints of a few rows each, one after the other.
pub(crate) type BoxedPieces = Box<dyn Iterator<Item = Result<Checkpoint, ErrorKind>> + Send>;

impl Integrity {
    /// The name in messages: `digests`, `crc-32` or `unverified`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Digests => "digests",
            Self::Crc32 => "crc-32",
            Self::Unverified => "unverified",
        }
    }
}

impl fmt::Display for Integrity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// An open file of any format.
pub(crate) trait Container: Send {
    /// The header.
    fn header(&self) -> &Header;

    /// The header, for a caller that needs nothing else.
    fn into_header(self: Box<Self>) -> Header;

    /// The checksums that protect its payloads.
    fn integrity(&self) -> Integrity;

    /// Reads the ids.
    fn ids(&mut self) -> Result<Vec<String>, ErrorKind>;

    /// Reads the tensor of the section of this index in the header, and nothing else that is
    /// large.
    fn tensor(&mut self, section: usize) -> Result<Tensor, ErrorKind>;

    /// Reads every byte that a checksum protects, and compares.
    fn verify(&mut self) -> Result<(), ErrorKind>;

    /// Reads everything a piece at a time and compares checksums; each piece of a tensor is passed
    /// on, with the index of its section, *before* all of it is compared. Returns the ids.
    fn scan(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<String>, ErrorKind> {
        let ids = self.ids()?;
        for index in tensor_indices(self.header()) {
            each(index, self.tensor(index)?.bytes());
        }
        Ok(ids)
    }

    /// Reads everything.
    fn load(mut self: Box<Self>) -> Result<Checkpoint, ErrorKind> {
        let ids = self.ids()?;
        let indices = tensor_indices(self.header());
        let tensors = indices.into_iter().map(|index| self.tensor(index));
        let tensors = tensors.collect::<Result<_, _>>()?;
        Ok(Checkpoint::from_parts(self.into_header(), ids, tensors))
    }

    /// Reads everything; tensors that lie in the file as they would in memory stay in its pages,
    /// where the format lets them.
    fn map(self: Box<Self>, _pages: Arc<Block>) -> Result<Checkpoint, ErrorKind> {
        self.load()
    }

    /// Reads this many rows at a time; all checksums are compared before the first rows are
    /// returned. Without free tensors.
    fn pieces(self: Box<Self>, rows: u64) -> Result<BoxedPieces, ErrorKind> {
        let whole = self.load()?;
        let starts = (0..whole.rows().len()).step_by(usize::try_from(rows).unwrap_or(usize::MAX));
        let pieces = starts.map(move |start| whole.slice(start, rows));
        Ok(Box::new(pieces))
    }
}

/// The indices of the sections that are tensors.
pub(crate) fn tensor_indices(header: &Header) -> Vec<usize> {
    let sections = header.sections.iter().enumerate();
    let tensors =
        sections.filter(|(_, section)| matches!(section.encoding, Encoding::Tensor { .. }));
    tensors.map(|(index, _)| index).collect()
}
