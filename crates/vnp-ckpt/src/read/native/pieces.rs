//! The rows of a native file, a few at a time.

use super::texts::Texts;
use crate::digest::Digest;
use crate::header::{Encoding, Header};
use crate::read::container::Input;
use crate::read::payload::Source;
use crate::tensor::block::Block;
use crate::{Checkpoint, Error, RowRange};

/// A file that was verified once, and the digests of each piece as it was then.
pub(super) struct NativePieces<R> {
    header: Header,
    source: Source<R>,
    ids: Block,
    /// For each section the digests of its pieces; none but of row tensors.
    digests: Vec<Vec<Digest>>,
    rows_each: u64,
    next: usize,
}

impl<R: Input> NativePieces<R> {
    /// Reads the whole file and compares it with its digests.
    pub(super) fn verify(
        header: Header,
        mut source: Source<R>,
        rows_each: u64,
    ) -> Result<Self, Error> {
        let mut ids = None;
        let mut digests = Vec::with_capacity(header.sections.len());
        for section in &header.sections {
            source.seek(section)?;
            let mut of_pieces = Vec::new();
            match &section.encoding {
                Encoding::Strings { count } => {
                    let block = source.block(section)?;
                    // Looked into as a whole now, and a piece at a time later.
                    Texts::check(block.bytes(), section, *count, source.path())?.verify()?;
                    ids = Some(block);
                }
                encoding => match encoding.row_bytes() {
                    Some(row) if row > 0 => {
                        of_pieces = source.skip_pieces(section, row.saturating_mul(rows_each))?;
                    }
                    _ => source.skip(section)?,
                },
            }
            source.padding()?;
            digests.push(of_pieces);
        }
        let no_ids = || Error::Inconsistent {
            path: Some(source.path().to_owned()),
            subject: "first section".to_owned(),
            expected: "the ids".to_owned(),
            found: "none".to_owned(),
        };
        let ids = ids.ok_or_else(no_ids)?;
        Ok(Self { header, source, ids, digests, rows_each, next: 0 })
    }

    fn piece(&mut self, place: usize, rows: RowRange) -> Result<Checkpoint, Error> {
        let mut header = Header { sections: Vec::new(), ..self.header.clone() };
        let first = rows.start - self.header.rows.start;
        header.rows = rows;
        let (mut ids, mut tensors) = (Vec::new(), Vec::new());
        for (section, digests) in self.header.sections.iter().zip(&self.digests) {
            let mut own = section.clone();
            match &section.encoding {
                Encoding::Strings { count } => {
                    let bytes = self.ids.bytes();
                    let texts = Texts::check(bytes, section, *count, self.source.path())?;
                    ids = texts.range(index(first)..index(first + rows.len()))?;
                    own.encoding = Encoding::Strings { count: rows.len() };
                }
                Encoding::Tensor { dtype, shape, per_row: true } => {
                    let row = section.encoding.row_bytes().unwrap_or(0);
                    (own.offset, own.length) = (section.offset + first * row, rows.len() * row);
                    // Of a tensor without elements there is nothing to compare.
                    own.digest = digests.get(place).copied().unwrap_or(Digest::of(b""));
                    let mut shape = shape.clone();
                    shape.iter_mut().take(1).for_each(|size| *size = index(rows.len()));
                    self.source.seek(&own)?;
                    tensors.push(self.source.tensor(&own, *dtype, &shape)?);
                    own.encoding = Encoding::Tensor { dtype: *dtype, shape, per_row: true };
                }
                Encoding::Tensor { per_row: false, .. } => continue,
            }
            header.sections.push(own);
        }
        Ok(Checkpoint::from_parts(header, ids, tensors))
    }
}

/// What cannot be counted in memory is found to be outside of it later.
fn index(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}

impl<R: Input> Iterator for NativePieces<R> {
    type Item = Result<Checkpoint, Error>;

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
