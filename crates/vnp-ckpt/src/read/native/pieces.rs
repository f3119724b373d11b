//! The rows of a native file, a few at a time.

use crate::checkpoint::Checkpoint;
use crate::digest::Digest;
use crate::error::kind::ErrorKind;
use crate::header::{Encoding, Header};
use crate::read::container::Input;
use crate::read::payload::Payloads;
use crate::read::texts::Texts;
use crate::rows::RowRange;
use crate::tensor::block::Block;

/// A file that was verified once, and the digest that each piece had then.
pub(super) struct NativePieces<R> {
    header: Header,
    payloads: Payloads<R>,
    ids: Block,
    /// For each section the digests of its pieces; empty unless it is a row tensor.
    digests: Vec<Vec<Digest>>,
    rows_each: u64,
    next: usize,
}

impl<R: Input> NativePieces<R> {
    /// Reads the whole file and compares it with its digests.
    pub(super) fn verify(
        header: Header,
        mut payloads: Payloads<R>,
        rows_each: u64,
    ) -> Result<Self, ErrorKind> {
        let mut ids = None;
        let mut digests = Vec::with_capacity(header.sections.len());
        for section in &header.sections {
            let mut of_pieces = Vec::new();
            match &section.encoding {
                Encoding::Strings { count } => {
                    let block = payloads.block(section)?;
                    payloads.padding(section.end())?;
                    // Checked as a whole now, and converted a piece at a time later.
                    Texts::of_section(block.bytes(), section, *count)?.verify()?;
                    ids = Some(block);
                }
                encoding => match encoding.row_bytes() {
                    Some(row) if row > 0 => {
                        of_pieces = payloads.scan_pieces(section, row.saturating_mul(rows_each))?;
                    }
                    _ => payloads.scan(section, |_| {})?,
                },
            }
            digests.push(of_pieces);
        }
        let no_ids = || ErrorKind::inconsistent("first section", "the ids", "none");
        Ok(Self { ids: ids.ok_or_else(no_ids)?, header, payloads, digests, rows_each, next: 0 })
    }

    fn piece(&mut self, number: usize, rows: RowRange) -> Result<Checkpoint, ErrorKind> {
        let mut header = Header { sections: Vec::new(), ..self.header.clone() };
        let first = rows.start - self.header.rows.start;
        header.rows = rows;
        let (mut ids, mut tensors) = (Vec::new(), Vec::new());
        self.payloads.0.refresh();
        for (section, digests) in self.header.sections.iter().zip(&self.digests) {
            let mut own = section.clone();
            match &section.encoding {
                Encoding::Strings { count } => {
                    let texts = Texts::of_section(self.ids.bytes(), section, *count)?;
                    ids = texts.range(index(first)..index(first + rows.len()))?;
                    own.encoding = Encoding::Strings { count: rows.len() };
                }
                Encoding::Tensor { dtype, shape, per_row: true } => {
                    let row = section.encoding.row_bytes().unwrap_or(0);
                    (own.offset, own.length) = (section.offset + first * row, rows.len() * row);
                    // A tensor without elements has no pieces.
                    own.digest = digests.get(number).copied().unwrap_or(Digest::of(b""));
                    let mut shape = shape.clone();
                    shape.iter_mut().take(1).for_each(|size| *size = index(rows.len()));
                    tensors.push(self.payloads.tensor(&own, *dtype, &shape)?);
                    own.encoding = Encoding::Tensor { dtype: *dtype, shape, per_row: true };
                }
                Encoding::Tensor { per_row: false, .. } => continue,
            }
            header.sections.push(own);
        }
        Ok(Checkpoint::from_parts(header, ids, tensors))
    }
}

/// A row number as an index; one that memory cannot count is out of bounds later.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<R: Input> Iterator for NativePieces<R> {
    type Item = Result<Checkpoint, ErrorKind>;

    fn next(&mut self) -> Option<Self::Item> {
        let RowRange { start, end } = self.header.rows;
        let first = start.saturating_add((self.next as u64).saturating_mul(self.rows_each));
        let rows = RowRange::new(first, first.saturating_add(self.rows_each).min(end));
        if first >= end {
            return None;
        }
        self.next += 1;
        Some(self.piece(self.next - 1, rows))
    }
}
