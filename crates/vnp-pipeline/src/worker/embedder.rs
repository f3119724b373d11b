use std::path::PathBuf;
use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::Encoder;
use vnp_seq::FrameRow;

use super::link::Link;
use super::offset;
use super::pace::Pace;
use crate::error::Error;
use crate::part::{self, Part, Rows};
use crate::stage::Stage;

/// One embedding stage: its encoder and what of a frame that encoder reads.
pub(super) struct Embedder<'a> {
    stage: Stage,
    encoder: &'a dyn Encoder,
    sequence: fn(&FrameRow) -> &str,
    pace: Pace,
    /// The part read last: windows may be smaller than parts.
    loaded: Option<(PathBuf, Rows)>,
}

impl<'a> Embedder<'a> {
    pub(super) fn new(
        stage: Stage,
        encoder: &'a dyn Encoder,
        sequence: fn(&FrameRow) -> &str,
    ) -> Self {
        Self { stage, encoder, sequence, pace: Pace::default(), loaded: None }
    }

    /// The embeddings of a window: what parts hold is loaded, the rest is computed and saved.
    ///
    /// `None` when a stop was asked for; what was computed until then is saved.
    pub(super) fn embeddings(
        &mut self,
        link: &mut Link<'_>,
        window: RowRange,
        frames: &[FrameRow],
    ) -> Result<Option<Rows>, Error> {
        let mut rows = Rows::with_capacity(frames.len(), self.encoder.hidden_size());
        let mut at = window.start;
        while at < window.end {
            let left = frames.get(offset(at, window.start)..).unwrap_or_default();
            if let Some(part) = link.inventory.part_with(self.stage, at).cloned() {
                at = self.take(&part, at, left, &mut rows)?;
                continue;
            }
            let covered = link.inventory.covered(self.stage);
            let gap = RowRange::new(at, window.end);
            let end = covered.missing_in(gap).first().map_or(window.end, |missing| missing.end);
            at = self.compute(link, RowRange::new(at, end), left, &mut rows)?;
            if link.is_stopped() {
                return Ok(None);
            }
        }
        Ok(Some(rows))
    }

    /// Takes the rows from `at` on, those of `frames`, that `part` has, and returns the first that
    /// it has not. Each row must be of its frame.
    fn take(
        &mut self,
        part: &Part,
        at: u64,
        frames: &[FrameRow],
        rows: &mut Rows,
    ) -> Result<u64, Error> {
        let held = self.loaded.take().filter(|(path, _)| *path == part.path);
        let loaded = match held {
            Some((_, loaded)) => loaded,
            None => part::load(part)?,
        };
        let mut next = at;
        for (row, frame) in (at..part.rows.end).zip(frames) {
            let index = offset(row, part.rows.start);
            if let Err(found) = loaded.is_of(index, frame) {
                let (path, expected) = (part.path.clone(), frame.id.clone());
                return Err(Error::RowMismatch { path, row, expected, found });
            }
            rows.push_as(frame, loaded.row(index), loaded.is_failed(index));
            next = row + 1;
        }
        self.loaded = Some((part.path.clone(), loaded));
        Ok(next)
    }

    /// Computes rows of `range`, the first of which is that of `frames`, and saves one part of
    /// them: up to the end of the range, or until a save is due. Returns the first row not
    /// computed.
    fn compute(
        &mut self,
        link: &mut Link<'_>,
        range: RowRange,
        frames: &[FrameRow],
        rows: &mut Rows,
    ) -> Result<u64, Error> {
        let mut part = Rows::with_capacity(offset(range.end, range.start), rows.width);
        let mut at = range.start;
        let mut outcome = Ok(());
        while at < range.end && outcome.is_ok() {
            let slice = RowRange::new(at, range.end.min(at + self.pace.rows()));
            let frames = frames
                .get(offset(slice.start, range.start)..offset(slice.end, range.start))
                .unwrap_or_default();
            outcome = self.slice(link, slice, frames, &mut part);
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
        rows.append(part);
        outcome.map(|()| at)
    }

    fn slice(
        &mut self,
        link: &mut Link<'_>,
        slice: RowRange,
        frames: &[FrameRow],
        part: &mut Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let sequences: Vec<&str> = frames.iter().map(self.sequence).collect();
        let values = self.encoder.embed(&sequences)?;
        let expected = sequences.len() * part.width;
        if values.len() != expected {
            let found = values.len();
            return Err(Error::ModelShape { stage: self.stage.name(), expected, found });
        }
        for (frame, values) in frames.iter().zip(values.chunks_exact(part.width.max(1))) {
            part.push(frame, values);
        }
        self.pace.learn(slice.len(), began.elapsed());
        let letters = sequences.iter().map(|sequence| sequence.len() as u64).sum();
        link.computed(self.stage, slice, letters, began);
        Ok(())
    }
}
