//! A record on its way through the blocks.

use std::mem;
use std::ops::Range;

use crate::closed::closed_text;
use crate::outcome::{FrameRow, RecordOutcome, RecordStatus};
use crate::{
    ChunkLength, ChunkPosition, ChunkRanges, ClosedChunk, OpenFrame, Record, chunk_ranges,
    open_frames,
};

/// A record that is being cut into chunks.
#[derive(Debug)]
pub(super) struct Cutting {
    record: Record,
    ranges: ChunkRanges,
    cut: u32,
    outcome: RecordOutcome,
}

impl Cutting {
    pub(super) fn new(mut record: Record, number: u64, chunk_length: ChunkLength) -> Self {
        let length_bp = record.sequence.len();
        let mut ranges = chunk_ranges(length_bp, chunk_length);
        let status = match (record.invalid_letter(), length_bp) {
            (Some(letter), _) => {
                ranges = chunk_ranges(0, chunk_length);
                RecordStatus::Failed { reason: letter.to_string() }
            }
            (None, 0) => RecordStatus::Empty,
            (None, 1 | 2) => RecordStatus::TooShort,
            (None, _) => RecordStatus::NoOpenFrame,
        };
        let outcome = RecordOutcome {
            record: number,
            id: mem::take(&mut record.id),
            length_bp: length_bp as u64,
            chunks: 0,
            chunks_with_frames: 0,
            frames: 0,
            status,
        };
        Self { record, ranges, cut: 0, outcome }
    }

    pub(super) fn length_bp(&self) -> usize {
        self.record.sequence.len()
    }

    pub(super) fn has_chunks_left(&self) -> bool {
        self.ranges.len() > 0
    }

    pub(super) fn next_task(&mut self, cutting: usize) -> Option<Task> {
        let range = self.ranges.next()?;
        let (start_bp, end_bp) = (range.start as u64, range.end as u64);
        let position = ChunkPosition { index: self.cut, start_bp, end_bp };
        self.cut += 1;
        Some(Task { cutting, range, position })
    }

    pub(super) fn count(&mut self, frames: u64) {
        self.outcome.chunks += 1;
        self.outcome.chunks_with_frames += u64::from(frames > 0);
        self.outcome.frames += frames;
        if frames > 0 {
            self.outcome.status = RecordStatus::HasFrames;
        }
    }

    pub(super) fn finish(self) -> RecordOutcome {
        self.outcome
    }
}

/// A chunk of the block's record number `cutting`.
#[derive(Debug)]
pub(super) struct Task {
    pub(super) cutting: usize,
    range: Range<usize>,
    position: ChunkPosition,
}

/// What a chunk holds.
#[derive(Debug, Default)]
pub(super) struct Translated {
    pub(super) rows: Vec<FrameRow>,
    /// The chunk itself, if it is closed and was asked for.
    pub(super) closed: Option<ClosedChunk>,
}

impl Task {
    pub(super) fn translate(&self, cuttings: &[Cutting], closed_chunks: bool) -> Translated {
        let Some(cutting) = cuttings.get(self.cutting) else {
            return Translated::default();
        };
        let chunk = cutting.record.sequence.get(self.range.clone()).unwrap_or_default();
        let id = &cutting.outcome.id;
        let number = self.position.index + 1;
        let row = |open: OpenFrame| FrameRow {
            id: format!("{id}_chunk_{number}{}", open.frame.as_str()),
            record: cutting.outcome.record,
            chunk: self.position,
            frame: open.frame,
            nucleotide: open.nucleotide,
            protein: open.protein,
        };
        let rows: Vec<FrameRow> = open_frames(chunk).into_iter().map(row).collect();
        let text = (closed_chunks && rows.is_empty()).then(|| closed_text(chunk)).flatten();
        let closed = text.map(|nucleotide| ClosedChunk {
            id: format!("{id}_chunk_{number}"),
            record: cutting.outcome.record,
            chunk: self.position,
            nucleotide,
        });
        Translated { rows, closed }
    }
}
