//! The letters of one record as they stand in the text.
#![expect(clippy::indexing_slicing, reason = "a header has its mark")]

use super::fault::Fault;
use crate::letters::Gatherer;
use crate::text::Text;

/// Bytes of a header at most.
const HEADER_BYTES: usize = 1 << 20;

/// A header and the letters after it.
#[derive(Debug, Default)]
pub(super) struct Raw {
    /// The header with its mark, `>` or `@`.
    header: Vec<u8>,
    pub(super) letters: Gatherer,
}

impl Raw {
    /// Starts a record with the header that is the next line.
    pub(super) fn start(&mut self, text: &mut Text) -> Result<(), Fault> {
        self.header.clear();
        self.letters.start();
        if !text.read_line(&mut self.header, HEADER_BYTES)? {
            return Err(Fault::LongHeader { limit: HEADER_BYTES });
        }
        match self.header.contains(&b'\r') {
            true => Err(Fault::CarriageReturn { is_mac: text.peek()?.is_none() }),
            false => Ok(()),
        }
    }

    /// Adds the letters of the next line.
    pub(super) fn add_line(&mut self, text: &mut Text) -> Result<(), Fault> {
        text.each_piece_of_line(|piece| self.letters.add(piece).map_err(Fault::Letters))
    }

    /// The header without its mark.
    pub(super) fn header(&self) -> &[u8] {
        &self.header[1..]
    }
}
