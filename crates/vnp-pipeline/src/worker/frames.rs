use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_infer::{Head, Model};
use vnp_seq::FrameRow;

use super::embedder::Embedder;
use super::link::Link;
use super::slices::check_shape;
use super::{Computable, Flow, Worker, offset};
use crate::error::Error;
use crate::part::Rows;
use crate::stage::Stage;

/// Takes frames through both encoders and the head.
struct Frames<'a> {
    nucleotide: Embedder<'a>,
    protein: Embedder<'a>,
    head: &'a Head,
    /// Rows that the head scores at once.
    batch_rows: usize,
}

impl Computable for FrameRow {
    fn worker<'m>(model: &'m Model, batch_rows: usize) -> Box<dyn Worker<Self> + 'm> {
        let (nucleotide, protein) = (model.nucleotide.as_ref(), model.protein.as_ref());
        Box::new(Frames {
            nucleotide: Embedder::new(Stage::Nucleotide, nucleotide, |frame| &frame.nucleotide),
            protein: Embedder::new(Stage::Protein, protein, |frame| &frame.protein),
            head: &model.head,
            batch_rows,
        })
    }
}

impl Worker<FrameRow> for Frames<'_> {
    fn window(
        &mut self,
        link: &mut Link<'_>,
        window: RowRange,
        frames: &[FrameRow],
    ) -> Result<Flow, Error> {
        let unscored = link.inventory.covered(Stage::Scores).missing_in(window);
        let Some(nucleotide) = self.nucleotide.embeddings(link, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        let Some(protein) = self.protein.embeddings(link, window, frames)? else {
            return Ok(Flow::Stopped);
        };
        for range in unscored {
            let began = Instant::now();
            let rows = self.score(window, range, frames, &nucleotide, &protein)?;
            link.computed(Stage::Scores, range, 0, began);
            link.save(Stage::Scores, range.start, rows)?;
        }
        Ok(Flow::Done)
    }
}

impl Frames<'_> {
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
        let mut rows = Rows::with_capacity(end.saturating_sub(first), 2);
        while first < end {
            let batch = first..end.min(first.saturating_add(self.batch_rows));
            let scores = self.head.score(nucleotide.slice(&batch), protein.slice(&batch))?;
            check_shape(Stage::Scores, batch.len(), scores.len())?;
            first = batch.end;
            let frames = frames.get(batch.clone()).unwrap_or_default();
            for ((row, frame), scores) in batch.zip(frames).zip(scores) {
                let failed = nucleotide.is_failed(row) || protein.is_failed(row);
                rows.push(frame, if failed { &[f32::NAN; 2] } else { &scores });
            }
        }
        Ok(rows)
    }
}
