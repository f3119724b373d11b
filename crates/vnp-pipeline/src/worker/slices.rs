//! Computing rows in slices of about a second, so that a stop is answered and work is saved in time.

use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_job::parts::{RowStatus, Rows, Stage};

use super::batch_size::AdaptiveBatchSize;
use super::handle::SessionHandle;
use super::offset::offset;
use crate::error::Error;
use crate::row::Row;

/// The values of some rows.
pub(super) struct Values {
    /// `[rows, width]`
    pub(super) values: Vec<f32>,
    /// For each row whether the head alone is at fault if a value is not finite; empty where no head is
    /// at work.
    pub(super) embedded: Vec<bool>,
}

/// Computes the values of some rows.
type ValuesOf<'a, R> = dyn Fn(&[R]) -> Result<Values, Error> + 'a;

/// Computes the rows of a stage in which an encoder is at work, slice by slice, and saves them.
pub(super) struct Slices<'a, R> {
    stage: Stage,
    /// Values per row.
    width: usize,
    values_of: Box<ValuesOf<'a, R>>,
    batch_size: AdaptiveBatchSize,
}

impl<'a, R: Row> Slices<'a, R> {
    pub(super) fn new(
        stage: Stage,
        width: usize,
        values_of: impl Fn(&[R]) -> Result<Values, Error> + 'a,
    ) -> Self {
        Self {
            stage,
            width,
            values_of: Box::new(values_of),
            batch_size: AdaptiveBatchSize::default(),
        }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Computes rows of `range` from `rows`, which begin with that of its start, and saves one part
    /// of them: up to the end of the range, or until a save is due. Returns the first row not
    /// computed, and the computed ones.
    #[expect(clippy::indexing_slicing, reason = "a range comes with all of its rows")]
    pub(super) fn compute(
        &mut self,
        session: &mut SessionHandle<'_>,
        range: RowRange,
        rows: &[R],
    ) -> Result<(u64, Rows), Error> {
        let mut part = Rows::with_capacity(offset(range.end, range.start), self.width);
        let mut at = range.start;
        let mut outcome = Ok(());
        while at < range.end && outcome.is_ok() {
            let slice = RowRange::new(at, range.end.min(at + self.batch_size.rows()));
            let rows = &rows[offset(slice.start, range.start)..offset(slice.end, range.start)];
            outcome = self.slice(session, slice, rows, &mut part);
            if outcome.is_ok() {
                at = slice.end;
            }
            if session.is_save_due() {
                break;
            }
        }
        // Also when the encoder failed: the rows before are good.
        if at > range.start {
            part = session.save(self.stage, range.start, part)?;
        }
        outcome.map(|()| (at, part))
    }

    fn slice(
        &mut self,
        session: &mut SessionHandle<'_>,
        slice: RowRange,
        rows: &[R],
        part: &mut Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let Values { values, embedded } = (self.values_of)(rows)?;
        check_shape(self.stage, rows.len() * self.width, values.len())?;
        let embedded = embedded.into_iter().chain(std::iter::repeat(false));
        let values = values.chunks_exact(self.width.max(1));
        for ((row, values), embedded) in rows.iter().zip(values).zip(embedded) {
            let otherwise = if embedded { RowStatus::FailedInHead } else { RowStatus::Failed };
            part.push_or(otherwise, row.source(), values);
        }
        self.batch_size.learn(slice.len(), began.elapsed());
        session.computed(self.stage, slice, began);
        Ok(())
    }
}

/// Checks that a model gave as many values as it was asked for.
pub(super) fn check_shape(stage: Stage, expected: usize, found: usize) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::ModelShape { stage: stage.name(), expected, found }),
    }
}
