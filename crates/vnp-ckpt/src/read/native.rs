//! The reader of native files, version 1.

use std::sync::Arc;

use super::container::{BoxedPieces, Container, Input, Integrity, Origin};
use super::payload::Payloads;
use super::window::Window;
use crate::budget::Budget;
use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::header::layout;
use crate::header::preamble::{PREAMBLE_BYTES, Preamble};
use crate::header::{Encoding, Header, Section};
use crate::limits::Limits;
use crate::tensor::Tensor;
use crate::tensor::block::Block;

mod mapped;
mod pieces;

use super::texts::Texts;
use pieces::NativePieces;

/// A native file whose header was read.
pub(crate) struct NativeFile<R> {
    header: Header,
    payloads: Payloads<R>,
}

impl<R: Input> NativeFile<R> {
    pub(crate) fn open(reader: R, origin: Origin<'_>) -> Result<Self, ErrorKind> {
        let Origin { length_bytes, limits, .. } = origin;
        Self::open_within(reader, length_bytes, limits)
    }

    /// Reads everything before the first payload of a file of `actual_bytes`.
    pub(crate) fn open_within(
        reader: R,
        actual_bytes: u64,
        limits: &Limits,
    ) -> Result<Self, ErrorKind> {
        let mut window = Window::new(reader, actual_bytes);
        let mut start = [0; PREAMBLE_BYTES as usize];
        let (start, _) = start.split_at_mut(PREAMBLE_BYTES.min(actual_bytes) as usize);
        window.read_at(0, start)?;
        let preamble = Preamble::decode(start, actual_bytes, limits)?;
        // The preamble has compared this length with the file and the limits.
        let mut bytes = vec![0; usize::try_from(preamble.header_bytes).unwrap_or_default()];
        window.read_at(PREAMBLE_BYTES, &mut bytes)?;
        if Digest::of(&bytes) != preamble.header_digest {
            return Err(ErrorKind::DigestMismatch { section: "header".to_owned() });
        }
        let budget = Budget::new(limits, actual_bytes);
        let header = Header::decode(&bytes, &preamble.version(), limits, &budget)?;
        drop(bytes);
        let end = PREAMBLE_BYTES + preamble.header_bytes;
        layout::check_read(&header, end, preamble.file_bytes, limits)?;
        let mut payloads = Payloads(window);
        payloads.padding(end)?;
        Ok(Self { header, payloads })
    }

    /// Reads the payloads and compares their digests.
    pub(crate) fn verify_payloads(&mut self) -> Result<(), ErrorKind> {
        self.header.sections.iter().try_for_each(|section| self.payloads.scan(section, |_| {}))
    }
}

impl<R: Input + 'static> Container for NativeFile<R> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn into_header(self: Box<Self>) -> Header {
        self.header
    }

    fn integrity(&self) -> Integrity {
        Integrity::Digests
    }

    fn ids(&mut self) -> Result<Vec<String>, ErrorKind> {
        let Some(section @ Section { encoding: Encoding::Strings { count }, .. }) =
            self.header.sections.first()
        else {
            return Err(ErrorKind::inconsistent("first section", "the ids", "none"));
        };
        let block = self.payloads.block(section)?;
        self.payloads.padding(section.end())?;
        Texts::of_section(block.bytes(), section, *count)?.to_strings()
    }

    fn tensor(&mut self, index: usize) -> Result<Tensor, ErrorKind> {
        let Some(section @ Section { encoding: Encoding::Tensor { dtype, shape, .. }, .. }) =
            self.header.sections.get(index)
        else {
            return Err(ErrorKind::inconsistent(format!("section {index}"), "a tensor", "none"));
        };
        let tensor = self.payloads.tensor(section, *dtype, shape)?;
        self.payloads.padding(section.end())?;
        Ok(tensor)
    }

    fn verify(&mut self) -> Result<(), ErrorKind> {
        self.verify_payloads()
    }

    fn scan(&mut self, each: &mut dyn FnMut(usize, &[u8])) -> Result<Vec<String>, ErrorKind> {
        let ids = self.ids()?;
        for (index, section) in self.header.sections.iter().enumerate().skip(1) {
            self.payloads.scan(section, |bytes| each(index, bytes))?;
        }
        Ok(ids)
    }

    fn map(self: Box<Self>, pages: Arc<Block>) -> Result<Checkpoint, ErrorKind> {
        mapped::load(self.header, &pages)
    }

    fn pieces(self: Box<Self>, rows: u64) -> Result<BoxedPieces, ErrorKind> {
        NativePieces::verify(self.header, self.payloads, rows)
            .map(|pieces| Box::new(pieces) as BoxedPieces)
    }
}
