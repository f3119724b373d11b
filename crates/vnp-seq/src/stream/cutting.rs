//! Cutting one record into chunks and translating them.
#![expect(
    clippy::indexing_slicing,
    reason = "a task holds the index and the range that it was made with"
)]

use std::ops::Range;
use std::sync::Arc;

use crate::chunk::{ChunkLength, ChunkPosition, ChunkRanges, chunk_ranges};
use crate::head::RecordHead;
use crate::id::{chunk_id, frame_id};
use crate::orf::{Orf, find_orfs};
use crate::orfless_chunk::{OrflessChunk, orfless_text};
use crate::outcome::{FrameRow, RecordOutcome, RecordStatus};
use crate::record::Record;

/// A record that is being cut into chunks.
#[derive(Debug)]
pub(super) struct Cutting {
    sequence: Vec<u8>,
    ranges: ChunkRanges,
    cut: u32,
    outcome: RecordOutcome,
}

impl Cutting {
    /// Begins to cut the record `number` of all, which comes from the input `input`.
    pub(super) fn new(
        record: Record,
        number: u64,
        input: usize,
        chunk_length: ChunkLength,
    ) -> Self {
        let length_bp = record.sequence.len();
        let mut ranges = chunk_ranges(length_bp, chunk_length);
        let status = match (record.invalid_letter(), length_bp) {
            (Some(letter), _) => {
                ranges = chunk_ranges(0, chunk_length);
                RecordStatus::Failed { reason: letter.to_string() }
            }
            (None, 0) => RecordStatus::Empty,
            (None, 1 | 2) => RecordStatus::TooShort,
            (None, _) => RecordStatus::NoOrf,
        };
        let Record { id, id_is_encoded, sequence } = record;
        let outcome = RecordOutcome {
            record: Arc::new(RecordHead { number, input, id, id_is_encoded }),
            length_bp: length_bp as u64,
            chunks: 0,
            chunks_with_frames: 0,
            frames: 0,
            status,
        };
        Self { sequence, ranges, cut: 0, outcome }
    }

    pub(super) fn length_bp(&self) -> usize {
        self.sequence.len()
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

/// A chunk to translate.
#[derive(Debug)]
pub(super) struct Task {
    /// The index of its record in the block.
    pub(super) cutting: usize,
    range: Range<usize>,
    position: ChunkPosition,
}

/// The rows of a chunk.
#[derive(Debug)]
pub(super) struct Translated {
    pub(super) rows: Vec<FrameRow>,
    /// The chunk itself, if it has no ORF and was asked for.
    pub(super) orfless: Option<OrflessChunk>,
}

impl Task {
    pub(super) fn translate(&self, cuttings: &[Cutting], orfless_chunks: bool) -> Translated {
        let Cutting { sequence, outcome, .. } = &cuttings[self.cutting];
        let chunk = &sequence[self.range.clone()];
        let id = chunk_id(&outcome.record.id, self.position.index);
        let row = |orf: Orf| FrameRow {
            id: frame_id(&id, orf.frame),
            record: Arc::clone(&outcome.record),
            chunk: self.position,
            frame: orf.frame,
            nucleotide: orf.nucleotide,
            protein: orf.protein,
        };
        let rows: Vec<FrameRow> = find_orfs(chunk).into_iter().map(row).collect();
        let text = (orfless_chunks && rows.is_empty()).then(|| orfless_text(chunk)).flatten();
        let (record, chunk) = (Arc::clone(&outcome.record), self.position);
        let orfless = text.map(|nucleotide| OrflessChunk { id, record, chunk, nucleotide });
        Translated { rows, orfless }
    }
}
