//! One embedding stage of a worker: loads the rows that parts hold, computes and saves the others.

use std::path::PathBuf;

use vnp_ckpt::RowRange;
use vnp_infer::{Encoder, Interrupt};
use vnp_job::parts::{Part, Rows, Stage};
use vnp_seq::FrameRow;

use super::cancellation::Ended;
use super::handle::SessionHandle;
use super::offset::offset;
use super::slices::{Slices, Values};
use crate::error::Error;
use crate::row::Row;

/// One embedding stage: its encoder and what of a frame that encoder reads.
pub(super) struct Embedder<'a> {
    slices: Slices<'a, FrameRow>,
    /// The part read last: windows may be smaller than parts.
    loaded: Option<(PathBuf, Rows)>,
}

impl<'a> Embedder<'a> {
    pub(super) fn new(
        stage: Stage,
        encoder: &'a dyn Encoder,
        sequence: fn(&FrameRow) -> &str,
    ) -> Self {
        let embed = move |frames: &[FrameRow], is_interrupted: &Interrupt<'_>| {
            let sequences: Vec<&str> = frames.iter().map(sequence).collect();
            let values = encoder.embed_unless(&sequences, is_interrupted)?;
            Ok(Values { values, embedded: Vec::new() })
        };
        let cost = move |frames: &[FrameRow]| {
            let sequences: Vec<&str> = frames.iter().map(sequence).collect();
            Ok(encoder.cost(&sequences)?)
        };
        let (width, threads) = (encoder.hidden_size(), encoder.threads());
        Self { slices: Slices::new(stage, width, embed, cost, threads), loaded: None }
    }

    /// The embeddings of a window: what parts hold is loaded, the rest is computed and saved.
    #[expect(clippy::indexing_slicing, reason = "a window comes with all of its rows")]
    pub(super) fn embeddings(
        &mut self,
        session: &mut SessionHandle<'_>,
        window: RowRange,
        frames: &[FrameRow],
    ) -> Result<Rows, Ended> {
        let stage = self.slices.stage();
        let mut rows = Rows::with_capacity(frames.len(), self.slices.width());
        let mut at = window.start;
        while at < window.end {
            let left = &frames[offset(at, window.start)..];
            if let Some(part) = session.inventory.part_with(stage, at).cloned() {
                at = self.take(&part, at, left, &mut rows)?;
                continue;
            }
            let gap = RowRange::new(at, window.end);
            let missing = session.inventory.missing(stage, gap);
            let end = missing.first().map_or(window.end, |missing| missing.end);
            let computed = self.slices.compute(session, RowRange::new(at, end), left)?;
            at = computed.0;
            rows.append(computed.1);
            session.check()?;
        }
        Ok(rows)
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
        let loaded = match self.loaded.take().filter(|(path, _)| *path == part.path) {
            Some((_, loaded)) => loaded,
            None => part.read()?,
        };
        let mut next = at;
        for (row, frame) in (at..part.rows.end).zip(frames) {
            let index = offset(row, part.rows.start);
            if let Err(found) = loaded.check(index, frame.source()) {
                let (path, expected) = (part.path.clone(), frame.id.clone());
                return Err(Error::RowMismatch { path, row, expected, found });
            }
            rows.push_as(frame.source(), loaded.row(index), loaded.status(index));
            next = row + 1;
        }
        self.loaded = Some((part.path.clone(), loaded));
        Ok(next)
    }
}
