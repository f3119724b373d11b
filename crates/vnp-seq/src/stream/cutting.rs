//! Cutting one record into chunks and translating them.
#![expect(clippy::indexing_slicing, reason = "a task holds the index of a record in its block")]

use std::sync::Arc;

use crate::chunk::{ChunkLength, ChunkPosition, ChunkRanges, chunk_ranges};
use crate::head::RecordHead;
use crate::id::{chunk_id, frame_id};
use crate::letters::{Letters, ScratchError};
use crate::orf::{Orf, find_orfs};
use crate::orfless_chunk::{OrflessChunk, orfless_text};
use crate::outcome::{FrameRow, RecordChunk, RecordOutcome, RecordStatus};
use crate::reader::LongRecord;

/// A record that is being cut into chunks.
#[derive(Debug)]
pub(super) struct Cutting {
    letters: Letters,
    /// The chunks that are left to be cut, of a record that is cut.
    ranges: Option<ChunkRanges>,
    cut: u32,
    outcome: RecordOutcome,
}

impl Cutting {
    /// Begins to cut the record `number` of all, which comes from the input `input`.
    pub(super) fn new(
        record: LongRecord,
        number: u64,
        input: usize,
        chunk_length: Option<ChunkLength>,
    ) -> Result<Self, ScratchError> {
        let LongRecord { id, id_is_encoded, mut letters } = record;
        let length_bp = letters.len();
        let invalid = letters.invalid_letter()?;
        let ranges = chunk_length.filter(|_| invalid.is_none());
        let ranges = ranges.map(|chunk_length| chunk_ranges(length_bp, chunk_length));
        let status = match (invalid, length_bp) {
            (Some(letter), _) => RecordStatus::Failed { reason: letter.to_string() },
            (None, 0) => RecordStatus::Empty,
            (None, 1 | 2) => RecordStatus::TooShort,
            (None, _) => RecordStatus::NoOrf,
        };
        let outcome = RecordOutcome {
            record: Arc::new(RecordHead { number, input, id, id_is_encoded }),
            length_bp: length_bp as u64,
            chunks: 0,
            chunks_with_frames: 0,
            frames: 0,
            status,
        };
        // What is not cut does not wait for the end of its block.
        let letters = if ranges.is_some() { letters } else { Letters::Memory(Vec::new()) };
        Ok(Self { letters, ranges, cut: 0, outcome })
    }

    pub(super) fn length_bp(&self) -> usize {
        self.letters.len()
    }

    pub(super) fn has_chunks_left(&self) -> bool {
        self.ranges.as_ref().is_some_and(|ranges| ranges.len() > 0)
    }

    pub(super) fn next_task(&mut self, cutting: usize) -> Result<Option<Task>, ScratchError> {
        let Some(range) = self.ranges.as_mut().and_then(Iterator::next) else { return Ok(None) };
        let (start_bp, end_bp) = (range.start as u64, range.end as u64);
        let position = ChunkPosition { index: self.cut, start_bp, end_bp };
        self.cut += 1;
        Ok(Some(Task { cutting, letters: self.letters.read(&range)?, position }))
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
    letters: Vec<u8>,
    position: ChunkPosition,
}

impl Task {
    /// The length of the chunk.
    pub(super) fn length_bp(&self) -> usize {
        self.letters.len()
    }

    /// The chunk, of a record among the cuttings.
    pub(super) fn chunk(&self, cuttings: &[Cutting]) -> RecordChunk {
        let record = Arc::clone(&cuttings[self.cutting].outcome.record);
        RecordChunk { record, position: self.position }
    }
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
        let outcome = &cuttings[self.cutting].outcome;
        let chunk = self.letters.as_slice();
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
