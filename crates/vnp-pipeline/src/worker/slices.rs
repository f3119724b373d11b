//! Computing rows in slices of about a second, so that a stop is answered and work is saved in time.

use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::{Cost, Interrupt};
use vnp_job::parts::{RowStatus, Rows, Stage};

use super::batch_size::{AdaptiveBatchSize, FIRST_ROWS};
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
type ValuesOf<'a, R> = dyn Fn(&[R], &Interrupt<'_>) -> Result<Values, Error> + 'a;

/// The work of computing some rows.
type CostOf<'a, R> = dyn Fn(&[R]) -> Result<Cost, Error> + 'a;

/// Computes the rows of a stage in which an encoder is at work, slice by slice, and saves them.
pub(super) struct Slices<'a, R> {
    stage: Stage,
    /// Values per row.
    width: usize,
    values_of: Box<ValuesOf<'a, R>>,
    cost_of: Box<CostOf<'a, R>>,
    /// The CPU threads of the encoder; none on a device.
    threads: Option<usize>,
    /// None before the first slice.
    batch_size: Option<AdaptiveBatchSize>,
}

impl<'a, R: Row> Slices<'a, R> {
    pub(super) fn new(
        stage: Stage,
        width: usize,
        values_of: impl Fn(&[R], &Interrupt<'_>) -> Result<Values, Error> + 'a,
        cost_of: impl Fn(&[R]) -> Result<Cost, Error> + 'a,
        threads: Option<usize>,
    ) -> Self {
        Self {
            stage,
            width,
            values_of: Box::new(values_of),
            cost_of: Box::new(cost_of),
            threads,
            batch_size: None,
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
    /// computed, and the computed ones. A cancellation gives up the slice at work, and saves those before.
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
        let mut unsaved = None;
        while at < range.end && outcome.is_ok() {
            let left = &rows[offset(at, range.start)..offset(range.end, range.start)];
            let slice = RowRange::new(at, range.end.min(at + self.batch_size(left)?.rows()));
            let rows = &left[..offset(slice.end, at)];
            outcome = self.slice(session, slice, rows, &mut part);
            match &outcome {
                Ok(()) => {
                    at = slice.end;
                    unsaved.get_or_insert_with(|| session.unsaved());
                }
                // The caller sees that the work was cancelled.
                Err(error) if error.is_given_up() => {
                    outcome = Ok(());
                    break;
                }
                Err(_) => {}
            }
            if session.is_save_due() {
                break;
            }
        }
        // Also when the encoder failed: the rows before are good.
        if at > range.start {
            part = session.save(self.stage, range.start, part)?;
        }
        drop(unsaved);
        outcome.map(|()| (at, part))
    }

    /// The size of the next slice, which begins with the first of `rows`.
    fn batch_size(&mut self, rows: &[R]) -> Result<AdaptiveBatchSize, Error> {
        if let Some(size) = self.batch_size {
            return Ok(size);
        }
        let rows = rows.get(..FIRST_ROWS).unwrap_or(rows);
        let flops = (self.cost_of)(rows)?.flops / rows.len().max(1) as f64;
        let size = AdaptiveBatchSize::new(flops, self.threads);
        self.batch_size = Some(size);
        Ok(size)
    }

    fn slice(
        &mut self,
        session: &mut SessionHandle<'_>,
        slice: RowRange,
        rows: &[R],
        part: &mut Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let Values { values, embedded } = (self.values_of)(rows, &|| session.is_cancelled())?;
        check_shape(self.stage, rows.len() * self.width, values.len())?;
        let embedded = embedded.into_iter().chain(std::iter::repeat(false));
        let values = values.chunks_exact(self.width.max(1));
        for ((row, values), embedded) in rows.iter().zip(values).zip(embedded) {
            let otherwise = if embedded { RowStatus::FailedInHead } else { RowStatus::Failed };
            part.push_or(otherwise, row.source(), values);
        }
        if let Some(batch_size) = &mut self.batch_size {
            batch_size.learn(slice.len(), began.elapsed());
        }
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
