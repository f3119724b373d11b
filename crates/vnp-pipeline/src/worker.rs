mod embedder;
mod pace;
mod session;

use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_seq::{FrameReader, FrameRow};

use crate::error::Error;
use crate::part::Rows;
use crate::stage::Stage;
use embedder::Embedder;
pub(crate) use session::{Session, Work};

/// Whether the work was done or a stop was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Stopped,
}

/// Takes windows of rows through the stages, and saves each as it is computed.
pub(crate) struct Worker<'a> {
    session: Session<'a>,
    nucleotide: Embedder<'a>,
    protein: Embedder<'a>,
    model: &'a Model,
    score_batch_rows: usize,
}

impl<'a> Worker<'a> {
    pub(crate) fn new(session: Session<'a>, model: &'a Model, score_batch_rows: usize) -> Self {
        let nucleotide =
            Embedder::new(Stage::Nucleotide, model.nucleotide.as_ref(), |frame| &frame.nucleotide);
        let protein = Embedder::new(Stage::Protein, model.protein.as_ref(), |frame| &frame.protein);
        Self { session, nucleotide, protein, model, score_batch_rows }
    }

    /// What was computed.
    pub(crate) fn into_work(self) -> Work {
        self.session.work
    }

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
            if self.session.is_stopped() {
                return Ok(Flow::Stopped);
            }
        }
        Err(Error::InputChanged { found: format!("it ended after {row} frames") })
    }

    /// One window through every stage of which it lacks rows.
    fn window(&mut self, window: RowRange, frames: &[FrameRow]) -> Result<Flow, Error> {
        let unscored = self.session.inventory.covered(Stage::Scores).missing_in(window);
        let session = &mut self.session;
        let Some(nucleotide) = self.nucleotide.embeddings(session, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        let Some(protein) = self.protein.embeddings(session, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        for range in unscored {
            self.score(window, range, frames, &nucleotide, &protein)?;
        }
        if !self.session.provenance.keep_embeddings {
            self.session.inventory.delete_scored_embeddings()?;
        }
        Ok(if self.session.is_stopped() { Flow::Stopped } else { Flow::Done })
    }

    fn score(
        &mut self,
        window: RowRange,
        range: RowRange,
        frames: &[FrameRow],
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
            let frames = frames.get(batch.clone()).unwrap_or_default();
            for ((row, frame), scores) in batch.zip(frames).zip(scores) {
                let failed = nucleotide.is_failed(row) || protein.is_failed(row);
                rows.push(frame, if failed { &[f32::NAN; 2] } else { &scores });
            }
        }
        self.session.computed(Stage::Scores, range, began);
        self.session.save(Stage::Scores, range.start, &rows)
    }
}

/// How far `to` lies behind `from`, as an index into a window.
fn offset(to: u64, from: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
