//! What the reader of every container offers, once it has read what stands before the payloads.

use std::fmt;
use std::io::{Read, Seek};
use std::path::Path;
use std::sync::Arc;

use crate::tensor::block::Block;
use crate::{Checkpoint, Encoding, Error, Header, Limits, Tensor};

/// Where the bytes come from: a file, or memory.
pub(crate) trait Input: Read + Seek + Send {}

impl<T: Read + Seek + Send> Input for T {}

/// What is known of a file before its first byte is read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin<'a> {
    /// Its path, or a name for messages.
    pub(crate) path: &'a Path,
    /// Its length, in bytes.
    pub(crate) length_bytes: u64,
    /// When it was last changed, RFC 3339 in UTC: the time of files that state none.
    #[allow(dead_code, reason = "native files state one")]
    pub(crate) modified: &'a str,
    /// What it may make a reader do.
    pub(crate) limits: &'a Limits,
}

/// What proves that a payload is what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Integrity {
    /// A digest for each section, and one for the header: no change goes unseen.
    Digests,
    /// A CRC-32 for each record of a PyTorch file: no accident goes unseen.
    Crc32,
    /// Nothing: PyTorch files of before 1.6 or saved without CRC, and safetensors files. A
    /// changed byte may go unseen.
    Unverified,
}

/// Checkpoints of a few rows each, one after the other.
pub(crate) type BoxedPieces = Box<dyn Iterator<Item = Result<Checkpoint, Error>> + Send>;

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
    /// What the file says about itself.
    fn header(&self) -> &Header;

    /// What proves its payloads.
    fn integrity(&self) -> Integrity;

    /// Reads the ids.
    fn ids(&mut self) -> Result<Vec<String>, Error>;

    /// Reads the tensor of the section of this place in the header, and nothing else that is
    /// large.
    fn tensor(&mut self, section: usize) -> Result<Tensor, Error>;

    /// Reads every byte that something proves, and compares.
    fn verify(&mut self) -> Result<(), Error>;

    /// Reads everything a piece at a time, compared with what proves it, and gives each piece of
    /// a tensor away, with the place of its section, *before* all of it is compared. The ids.
    fn scan(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<String>, Error> {
        let ids = self.ids()?;
        for place in tensor_places(self.header()) {
            each(place, self.tensor(place)?.bytes());
        }
        Ok(ids)
    }

    /// Reads everything.
    fn load(mut self: Box<Self>) -> Result<Checkpoint, Error> {
        let ids = self.ids()?;
        let places = tensor_places(self.header());
        let tensors = places.into_iter().map(|place| self.tensor(place));
        let tensors = tensors.collect::<Result<_, _>>()?;
        Ok(Checkpoint::from_parts(self.header().clone(), ids, tensors))
    }

    /// Reads everything; tensors that lie in the file as they would in memory stay in its pages,
    /// where the format lets them.
    fn map(self: Box<Self>, _pages: Arc<Block>) -> Result<Checkpoint, Error> {
        self.load()
    }

    /// Reads so many rows at a time, compared with what proves them before the first are given
    /// away. Without free tensors.
    fn pieces(self: Box<Self>, rows: u64) -> Result<BoxedPieces, Error> {
        let whole = self.load()?;
        let starts = (0..whole.rows().len()).step_by(usize::try_from(rows).unwrap_or(usize::MAX));
        let pieces = starts.map(move |start| whole.slice(start, rows));
        Ok(Box::new(pieces))
    }
}

/// The places of the sections that are tensors.
pub(crate) fn tensor_places(header: &Header) -> Vec<usize> {
    let sections = header.sections.iter().enumerate();
    let tensors =
        sections.filter(|(_, section)| matches!(section.encoding, Encoding::Tensor { .. }));
    tensors.map(|(place, _)| place).collect()
}
