//! The letters of one record as they stand in the text.
#![expect(clippy::indexing_slicing, reason = "a header has its mark")]

use super::fault::Fault;
use crate::text::Text;

/// A header and the letters after it.
#[derive(Default)]
pub(super) struct Raw {
    /// The header with its mark, `>` or `@`.
    header: Vec<u8>,
    pub(super) sequence: Vec<u8>,
}

impl Raw {
    /// Starts a record with the header that is the next line.
    pub(super) fn start(&mut self, text: &mut Text) -> Result<(), Fault> {
        self.header.clear();
        self.sequence.clear();
        text.read_line(&mut self.header)?;
        match self.header.contains(&b'\r') {
            true => Err(Fault::CarriageReturn),
            false => Ok(()),
        }
    }

    /// The header without its mark.
    pub(super) fn header(&self) -> &[u8] {
        &self.header[1..]
    }
}
