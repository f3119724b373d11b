use std::collections::VecDeque;

use crate::error::Error;
use crate::part::{self, Part, Rows};

/// The scores of every row in order, from one part at a time.
#[derive(Debug)]
pub(super) struct ScoreReader {
    parts: VecDeque<Part>,
    current: Option<(Part, Rows)>,
    row: u64,
}

impl ScoreReader {
    /// `parts` ascending and without gaps.
    pub(super) fn new(parts: Vec<&Part>) -> Self {
        Self { parts: parts.into_iter().cloned().collect(), current: None, row: 0 }
    }

    /// The scores of the next row, which must carry `id`; nothing if the row failed.
    pub(super) fn next(&mut self, id: &str) -> Result<Option<[f32; 2]>, Error> {
        let past_end = |(part, _): &(Part, Rows)| part.rows.end <= self.row;
        if self.current.as_ref().is_none_or(past_end) {
            let Some(part) = self.parts.pop_front() else {
                let found = format!("it has more than {} frames", self.row);
                return Err(Error::InputChanged { found });
            };
            let rows = part::load(&part)?;
            self.current = Some((part, rows));
        }
        let Some((part, rows)) = &self.current else { return Ok(None) };
        let index = usize::try_from(self.row - part.rows.start).unwrap_or(usize::MAX);
        let found = rows.ids.get(index).map_or("", String::as_str);
        if found != id {
            return Err(Error::IdMismatch {
                path: part.path.clone(),
                row: self.row,
                expected: id.to_owned(),
                found: found.to_owned(),
            });
        }
        self.row += 1;
        if rows.is_failed(index) {
            return Ok(None);
        }
        let scores = rows.row(index).try_into().map_err(|_| Error::ModelShape {
            stage: "scores",
            expected: 2,
            found: rows.width,
        })?;
        Ok(Some(scores))
    }
}
