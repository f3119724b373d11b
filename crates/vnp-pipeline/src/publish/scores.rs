//! The two scores of every row of a track, read back in order.

use vnp_job::parts::{Inventory, RowStatus, Stage, Track};

use super::stored_rows::StoredRows;
use crate::error::Error;
use crate::row::Row;

/// The scores of every row of a track in order.
#[derive(Debug)]
pub(super) struct ScoreReader {
    stage: Stage,
    rows: StoredRows,
}

impl ScoreReader {
    /// The parts of the track cover it without gaps.
    pub(super) fn new(inventory: &Inventory, track: Track) -> Self {
        let stage = Stage::scoring(track);
        Self { stage, rows: StoredRows::new(inventory.parts(stage)) }
    }

    /// The scores of the next row, which must be those of `row`, or what became of it instead.
    pub(super) fn next(&mut self, row: &impl Row) -> Result<Result<[f32; 2], RowStatus>, Error> {
        let values = match self.rows.next(row)? {
            Ok(values) => values,
            Err(failed) => return Ok(Err(failed)),
        };
        let scores = values.try_into().map_err(|_| Error::ModelShape {
            stage: self.stage.name(),
            expected: 2,
            found: values.len(),
        })?;
        Ok(Ok(scores))
    }
}
