//! The rows of a stage, read back in order and compared with the input.

use std::collections::VecDeque;

use vnp_job::parts::{Part, RowStatus, Rows};

use crate::error::Error;
use crate::row::Row;

/// The rows of a stage in order, from one part at a time.
#[derive(Debug)]
pub(super) struct StoredRows {
    parts: VecDeque<Part>,
    current: Option<(Part, Rows)>,
    row: u64,
}

impl StoredRows {
    /// `parts` ascending and without gaps.
    pub(super) fn new(parts: Vec<&Part>) -> Self {
        Self { parts: parts.into_iter().cloned().collect(), current: None, row: 0 }
    }

    /// The values of the next row, which must be those of `row`, or what became of it instead.
    pub(super) fn next(&mut self, row: &impl Row) -> Result<Result<&[f32], RowStatus>, Error> {
        let source = row.source();
        let past_end = |(part, _): &(Part, Rows)| part.rows.end <= self.row;
        if self.current.as_ref().is_none_or(past_end) {
            let Some(part) = self.parts.pop_front() else {
                let found = format!("it has more than {} rows", self.row);
                return Err(Error::InputChanged { found });
            };
            let rows = part.read()?;
            self.current = Some((part, rows));
        }
        let Some((part, rows)) = &self.current else { return Ok(Err(RowStatus::Failed)) };
        let index = usize::try_from(self.row - part.rows.start).unwrap_or(usize::MAX);
        if let Err(found) = rows.check(index, source) {
            let (path, expected) = (part.path.clone(), source.id.to_owned());
            return Err(Error::RowMismatch { path, row: self.row, expected, found });
        }
        self.row += 1;
        Ok(match rows.status(index) {
            RowStatus::Computed => Ok(rows.row(index)),
            failed => Err(failed),
        })
    }
}
