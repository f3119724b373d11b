//! The worker for ORFs: both encoders, then the head.

use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::{Head, Model};
use vnp_job::parts::{RowStatus, Rows, Stage};
use vnp_seq::FrameRow;

use super::cancellation::Ended;
use super::embedder::Embedder;
use super::handle::SessionHandle;
use super::offset::offset;
use super::slices::check_shape;
use super::window::{Computable, Settings, Worker};
use crate::error::Error;
use crate::options::Goal;
use crate::row::Row;

/// Takes frames through both encoders, and through the head if scores are the goal.
struct Frames<'a> {
    nucleotide: Embedder<'a>,
    protein: Embedder<'a>,
    head: &'a Head,
    settings: Settings,
}

impl Computable for FrameRow {
    fn worker<'m>(model: &'m Model, settings: Settings) -> Box<dyn Worker<Self> + 'm> {
        let (nucleotide, protein) = (model.nucleotide.as_ref(), model.protein.as_ref());
        Box::new(Frames {
            nucleotide: Embedder::new(Stage::Nucleotide, nucleotide, |frame| &frame.nucleotide),
            protein: Embedder::new(Stage::Protein, protein, |frame| &frame.protein),
            head: &model.head,
            settings,
        })
    }
}

impl Worker<FrameRow> for Frames<'_> {
    fn window(
        &mut self,
        session: &mut SessionHandle<'_>,
        window: RowRange,
        frames: &[FrameRow],
    ) -> Result<(), Ended> {
        let unscored = match self.settings.goal {
            Goal::Scores => session.inventory.missing(Stage::Scores, window),
            Goal::Embeddings => Vec::new(),
        };
        let nucleotide = self.nucleotide.embeddings(session, window, frames)?;
        let protein = self.protein.embeddings(session, window, frames)?;
        for range in unscored {
            let began = Instant::now();
            let rows = self.score(window, range, frames, &nucleotide, &protein)?;
            let _unsaved = session.unsaved();
            session.computed(Stage::Scores, range, began);
            session.save(Stage::Scores, range.start, rows)?;
        }
        Ok(())
    }
}

impl Frames<'_> {
    #[expect(clippy::indexing_slicing, reason = "a window comes with all of its rows")]
    fn score(
        &self,
        window: RowRange,
        range: RowRange,
        frames: &[FrameRow],
        nucleotide: &Rows,
        protein: &Rows,
    ) -> Result<Rows, Error> {
        let end = offset(range.end, window.start);
        let mut first = offset(range.start, window.start);
        let mut rows = Rows::with_capacity(end - first, 2);
        while first < end {
            let batch = first..end.min(first.saturating_add(self.settings.score_batch_rows));
            let scores = self.head.score(nucleotide.slice(&batch), protein.slice(&batch))?;
            check_shape(Stage::Scores, batch.len(), scores.len())?;
            first = batch.end;
            for ((row, frame), scores) in batch.clone().zip(&frames[batch]).zip(scores) {
                match nucleotide.is_failed(row) || protein.is_failed(row) {
                    true => rows.push(frame.source(), &[f32::NAN; 2]),
                    false => rows.push_or(RowStatus::FailedInHead, frame.source(), &scores),
                }
            }
        }
        Ok(rows)
    }
}
