mod features;
mod pace;

use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_seq::{FrameReader, FrameRow};

use crate::directory::OutputDirectory;
use crate::error::Error;
use crate::observer::{Event, Observer};
use crate::part::{self, Provenance, Rows};
use crate::resume::Inventory;
use crate::stage::Stage;
use crate::stop::StopFlag;
pub(crate) use pace::Pace;

/// Whether the work was done or a stop was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Stopped,
}

/// Rows computed and time spent in each stage of this session.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    pub(crate) rows: [u64; 3],
    pub(crate) time: [Duration; 3],
}

/// Takes windows of rows through the stages, and saves each as it is computed.
pub(crate) struct Worker<'a> {
    pub(crate) directory: &'a OutputDirectory,
    pub(crate) inventory: &'a mut Inventory,
    pub(crate) model: &'a Model,
    pub(crate) provenance: Provenance,
    pub(crate) checkpoint_interval: Duration,
    pub(crate) score_batch_rows: usize,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) stop: &'a StopFlag,
    pub(crate) last_saved: Instant,
    pub(crate) pace: [Pace; 2],
    pub(crate) work: Work,
}

impl Worker<'_> {
    /// Computes `windows` (ascending, disjoint) from the frames of `reader`.
    pub(crate) fn run(
        &mut self,
        windows: &[RowRange],
        mut reader: FrameReader,
    ) -> Result<Flow, Error> {
        let mut windows = windows.iter().copied();
        let Some(mut window) = windows.next() else { return Ok(Flow::Done) };
        let mut frames: Vec<FrameRow> = Vec::new();
        let mut row = 0_u64;
        while let Some(block) = reader.next_block()? {
            for frame in block.rows {
                let at = row;
                row += 1;
                if at < window.start {
                    continue;
                }
                frames.push(frame);
                if row < window.end {
                    continue;
                }
                if self.window(window, &frames)? == Flow::Stopped {
                    return Ok(Flow::Stopped);
                }
                frames.clear();
                let Some(next) = windows.next() else { return Ok(Flow::Done) };
                window = next;
            }
            if self.stop.requested().is_some() {
                return Ok(Flow::Stopped);
            }
        }
        Err(Error::InputChanged { found: format!("it ended after {row} frames") })
    }

    /// One window through every stage of which it lacks rows.
    fn window(&mut self, window: RowRange, frames: &[FrameRow]) -> Result<Flow, Error> {
        let unscored = self.inventory.covered(Stage::Scores).missing_in(window);
        let mut embeddings = [Rows::default(), Rows::default()];
        for (stage, slot) in Stage::EMBEDDINGS.into_iter().zip(&mut embeddings) {
            match self.embeddings(stage, window, frames)? {
                Some(rows) => *slot = rows,
                None => return Ok(Flow::Stopped),
            }
        }
        let [nucleotide, protein] = &embeddings;
        for range in unscored {
            self.score(window, range, nucleotide, protein)?;
        }
        self.inventory.delete_scored_embeddings()?;
        Ok(if self.stop.requested().is_some() { Flow::Stopped } else { Flow::Done })
    }

    fn score(
        &mut self,
        window: RowRange,
        range: RowRange,
        nucleotide: &Rows,
        protein: &Rows,
    ) -> Result<(), Error> {
        let began = Instant::now();
        let end = offset(range.end, window.start);
        let mut first = offset(range.start, window.start);
        let mut rows = Rows::with_capacity(end.saturating_sub(first), 2);
        while first < end {
            let batch = first..end.min(first.saturating_add(self.score_batch_rows));
            let scores = self.model.head.score(nucleotide.slice(&batch), protein.slice(&batch))?;
            if scores.len() != batch.len() {
                let (expected, found) = (batch.len(), scores.len());
                return Err(Error::ModelShape { stage: Stage::Scores.name(), expected, found });
            }
            first = batch.end;
            for ((row, id), scores) in batch.clone().zip(nucleotide.ids_of(&batch)).zip(scores) {
                let failed = nucleotide.is_failed(row) || protein.is_failed(row);
                rows.push(id, if failed { &[f32::NAN; 2] } else { &scores });
            }
        }
        self.done(Stage::Scores, range, began);
        self.save(Stage::Scores, range.start, &rows)
    }

    fn save(&mut self, stage: Stage, start: u64, rows: &Rows) -> Result<(), Error> {
        let dir = self.directory.stage(stage);
        let part = part::save(&dir, stage, start, rows, &self.provenance)?;
        self.last_saved = Instant::now();
        self.observer.event(Event::Saved { stage, rows: part.rows });
        self.inventory.add(part);
        Ok(())
    }

    fn done(&mut self, stage: Stage, rows: RowRange, began: Instant) {
        log::debug!("computed {stage} rows {rows}");
        if let Some(count) = self.work.rows.get_mut(stage as usize) {
            *count += rows.end - rows.start;
        }
        if let Some(time) = self.work.time.get_mut(stage as usize) {
            *time += began.elapsed();
        }
        self.observer.event(Event::Computed { stage, rows });
    }
}

/// How far `to` lies behind `from`, as an index into a window.
fn offset(to: u64, from: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
