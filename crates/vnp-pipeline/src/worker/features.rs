use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::Encoder;
use vnp_seq::FrameRow;

use super::{Worker, offset};
use crate::error::Error;
use crate::part::{self, Part, Rows};
use crate::stage::Stage;

impl Worker<'_> {
    /// The embeddings of a window: what parts hold is loaded, the rest is computed and saved.
    ///
    /// `None` when a stop was asked for; what was computed until then is saved.
    pub(super) fn embeddings(
        &mut self,
        stage: Stage,
        window: RowRange,
        frames: &[FrameRow],
    ) -> Result<Option<Rows>, Error> {
        let width = self.encoder(stage).hidden_size();
        let mut rows = Rows::with_capacity(frames.len(), width);
        let mut at = window.start;
        while at < window.end {
            if let Some(part) = self.part_with(stage, at) {
                at = copy(&part, window, at, frames, &mut rows)?;
                continue;
            }
            let covered = self.inventory.covered(stage);
            let gap = RowRange { start: at, end: window.end };
            let end = covered.missing_in(gap).first().map_or(window.end, |missing| missing.end);
            let range = RowRange { start: at, end };
            at = self.compute(stage, window, range, frames, &mut rows)?;
            if self.stop.requested().is_some() {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    }

    fn encoder(&self, stage: Stage) -> &dyn Encoder {
        match stage {
            Stage::Protein => self.model.protein.as_ref(),
            Stage::Nucleotide | Stage::Scores => self.model.nucleotide.as_ref(),
        }
    }

    fn part_with(&self, stage: Stage, row: u64) -> Option<Part> {
        let holds = |part: &&Part| part.rows.start <= row && row < part.rows.end;
        self.inventory.parts(stage).into_iter().find(holds).cloned()
    }

    /// Computes rows of `range` and saves one part of them: up to the end of the range, or to the
    /// checkpoint interval, or to a stop. Returns the first row not computed.
    fn compute(
        &mut self,
        stage: Stage,
        window: RowRange,
        range: RowRange,
        frames: &[FrameRow],
        rows: &mut Rows,
    ) -> Result<u64, Error> {
        let mut part = Rows::with_capacity(offset(range.end, range.start), rows.width);
        let mut at = range.start;
        loop {
            let pace = self.pace.get(stage as usize).copied().unwrap_or_default();
            let slice = RowRange { start: at, end: range.end.min(at + pace.rows()) };
            let frames = frames
                .get(offset(slice.start, window.start)..offset(slice.end, window.start))
                .unwrap_or_default();
            self.slice(stage, slice, frames, &mut part)?;
            at = slice.end;
            let due = self.last_saved.elapsed() >= self.checkpoint_interval;
            if at >= range.end || due || self.stop.requested().is_some() {
                break;
            }
        }
        self.save(stage, range.start, &part)?;
        rows.append(part);
        Ok(at)
    }

    fn slice(
        &mut self,
        stage: Stage,
        slice: RowRange,
        frames: &[FrameRow],
        part: &mut Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let sequences: Vec<&str> = frames
            .iter()
            .map(|frame| match stage {
                Stage::Protein => frame.protein.as_str(),
                Stage::Nucleotide | Stage::Scores => frame.nucleotide.as_str(),
            })
            .collect();
        let values = self.encoder(stage).embed(&sequences)?;
        let expected = sequences.len() * part.width;
        if values.len() != expected {
            let found = values.len();
            return Err(Error::ModelShape { stage: stage.name(), expected, found });
        }
        for (frame, values) in frames.iter().zip(values.chunks_exact(part.width.max(1))) {
            part.push(&frame.id, values);
        }
        if let Some(pace) = self.pace.get_mut(stage as usize) {
            pace.learn(slice.end - slice.start, began.elapsed());
        }
        self.done(stage, slice, began);
        Ok(())
    }
}

/// Copies the rows from `at` on that `part` has of the window, and returns the first it has not.
/// Each row's id is compared with its frame's: a part can only be used for the rows it was made of.
fn copy(
    part: &Part,
    window: RowRange,
    at: u64,
    frames: &[FrameRow],
    rows: &mut Rows,
) -> Result<u64, Error> {
    let loaded = part::load(part)?;
    let end = part.rows.end.min(window.end);
    for row in at..end {
        let index = offset(row, part.rows.start);
        let found = loaded.ids.get(index).map_or("", String::as_str);
        let expected = frames.get(offset(row, window.start)).map_or("", |frame| frame.id.as_str());
        if found != expected {
            return Err(Error::IdMismatch {
                path: part.path.clone(),
                row,
                expected: expected.to_owned(),
                found: found.to_owned(),
            });
        }
        rows.push_as(found, loaded.row(index), loaded.is_failed(index));
    }
    Ok(end)
}
