mod embedder;
mod feed;
mod halt;
mod link;
mod pace;
mod session;
mod team;

use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::Model;
use vnp_seq::FrameRow;

use crate::error::Error;
use crate::part::Rows;
use crate::stage::Stage;
use embedder::Embedder;
use feed::Job;
use link::Link;
pub(crate) use session::{Session, Work};
use team::Queue;
pub(crate) use team::Team;

/// Whether the work was done or a stop was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Stopped,
}

impl Flow {
    /// Done only if both are.
    fn and(self, other: Self) -> Self {
        if self == Self::Done { other } else { self }
    }
}

/// Takes windows of rows through the stages on one device, and saves each as it is computed.
struct Worker<'a> {
    link: Link<'a>,
    nucleotide: Embedder<'a>,
    protein: Embedder<'a>,
    model: &'a Model,
    score_batch_rows: usize,
}

impl<'a> Worker<'a> {
    fn new(link: Link<'a>, model: &'a Model, score_batch_rows: usize) -> Self {
        let nucleotide =
            Embedder::new(Stage::Nucleotide, model.nucleotide.as_ref(), |frame| &frame.nucleotide);
        let protein = Embedder::new(Stage::Protein, model.protein.as_ref(), |frame| &frame.protein);
        Self { link, nucleotide, protein, model, score_batch_rows }
    }

    /// Computes windows as they come.
    fn run(mut self, queue: &Queue) -> Result<Flow, Error> {
        while let Some(Job { window, frames }) = queue.next() {
            if self.link.is_stopped() || self.window(window, &frames)? == Flow::Stopped {
                return Ok(Flow::Stopped);
            }
        }
        Ok(Flow::Done)
    }

    /// One window through every stage of which it lacks rows.
    fn window(&mut self, window: RowRange, frames: &[FrameRow]) -> Result<Flow, Error> {
        let link = &mut self.link;
        link.begin(window)?;
        let unscored = link.inventory.covered(Stage::Scores).missing_in(window);
        let Some(nucleotide) = self.nucleotide.embeddings(link, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        let Some(protein) = self.protein.embeddings(link, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        for range in unscored {
            self.score(window, range, frames, &nucleotide, &protein)?;
        }
        self.link.done()?;
        Ok(if self.link.is_stopped() { Flow::Stopped } else { Flow::Done })
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
        self.link.computed(Stage::Scores, range, 0, began);
        self.link.save(Stage::Scores, range.start, rows)?;
        Ok(())
    }
}

/// How far `to` lies behind `from`, as an index into a window.
fn offset(to: u64, from: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
