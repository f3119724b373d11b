use std::time::Instant;

use vnp_ckpt::RowRange;

use super::link::Link;
use super::offset;
use super::pace::Pace;
use crate::error::Error;
use crate::part::Rows;
use crate::row::Row;
use crate::stage::Stage;

/// What came of some rows.
pub(super) struct Values {
    /// `[rows, width]`
    pub(super) values: Vec<f32>,
    /// What the encoder read for them.
    pub(super) letters: u64,
}

type ValuesOf<'a, R> = dyn Fn(&[R]) -> Result<Values, Error> + 'a;

/// Computes the rows of a stage in which an encoder is at work, slice by slice, and saves them.
pub(super) struct Slices<'a, R> {
    stage: Stage,
    /// Values per row.
    width: usize,
    values_of: Box<ValuesOf<'a, R>>,
    pace: Pace,
}

impl<'a, R: Row> Slices<'a, R> {
    pub(super) fn new(
        stage: Stage,
        width: usize,
        values_of: impl Fn(&[R]) -> Result<Values, Error> + 'a,
    ) -> Self {
        Self { stage, width, values_of: Box::new(values_of), pace: Pace::default() }
    }

    pub(super) fn stage(&self) -> Stage {
        self.stage
    }

    pub(super) fn width(&self) -> usize {
        self.width
    }

    /// Computes rows of `range`, the first of which is that of `rows`, and saves one part of
    /// them: up to the end of the range, or until a save is due. Returns the first row not
    /// computed, and what was.
    pub(super) fn compute(
        &mut self,
        link: &mut Link<'_>,
        range: RowRange,
        rows: &[R],
    ) -> Result<(u64, Rows), Error> {
        let mut part = Rows::with_capacity(offset(range.end, range.start), self.width);
        let mut at = range.start;
        let mut outcome = Ok(());
        while at < range.end && outcome.is_ok() {
            let slice = RowRange::new(at, range.end.min(at + self.pace.rows()));
            let rows = rows
                .get(offset(slice.start, range.start)..offset(slice.end, range.start))
                .unwrap_or_default();
            outcome = self.slice(link, slice, rows, &mut part);
            if outcome.is_ok() {
                at = slice.end;
            }
            if link.is_save_due() {
                break;
            }
        }
        // Also when the encoder failed: what was computed before is as good as ever.
        if at > range.start {
            part = link.save(self.stage, range.start, part)?;
        }
        outcome.map(|()| (at, part))
    }

    fn slice(
        &mut self,
        link: &mut Link<'_>,
        slice: RowRange,
        rows: &[R],
        part: &mut Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let Values { values, letters } = (self.values_of)(rows)?;
        check_shape(self.stage, rows.len() * self.width, values.len())?;
        for (row, values) in rows.iter().zip(values.chunks_exact(self.width.max(1))) {
            part.push(row, values);
        }
        self.pace.learn(slice.len(), began.elapsed());
        link.computed(self.stage, slice, letters, began);
        Ok(())
    }
}

/// Whether a model gave as many values as it was asked for.
pub(super) fn check_shape(stage: Stage, expected: usize, found: usize) -> Result<(), Error> {
    match found == expected {
        true => Ok(()),
        false => Err(Error::ModelShape { stage: stage.name(), expected, found }),
    }
}
