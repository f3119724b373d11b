//! The contents of a prepared input: rows, chunks without an ORF, and an outcome for every record.

use std::borrow::Cow;
use std::sync::Arc;

use crate::chunk::ChunkPosition;
use crate::frame::Frame;
use crate::head::RecordHead;
use crate::id::raw_id;
use crate::orfless_chunk::OrflessChunk;

/// An ORF of a chunk: one row of every stage that follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FrameRow {
    /// `{record id}_chunk_{i}{frame}`, chunks counted from 1; not unique where record ids are not.
    pub id: String,
    /// The record.
    pub record: Arc<RecordHead>,
    /// The position of the chunk in the record.
    pub chunk: ChunkPosition,
    /// The frame.
    pub frame: Frame,
    /// The frame's window of its strand, upper case; see [`Orf`](crate::Orf).
    pub nucleotide: String,
    /// The translation, without stops.
    pub protein: String,
}

impl FrameRow {
    /// The row's id with that of the record as it stands in the header.
    #[must_use]
    pub fn raw_id(&self) -> Cow<'_, [u8]> {
        raw_id(&self.id, self.record.id_is_encoded)
    }
}

/// What a record consists of.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordStatus {
    /// It has at least one row.
    HasFrames,
    /// It has chunks, but each of their frames has a stop or no whole codon.
    NoOrf,
    /// It is shorter than a codon (1 or 2 bp).
    TooShort,
    /// It has no letters.
    Empty,
    /// It is not a nucleotide sequence.
    Failed {
        /// The first letter that is not a nucleotide code, and its position.
        reason: String,
    },
}

/// A record without its sequence: its size and status. Every record of an input has one, in input order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordOutcome {
    /// The record.
    pub record: Arc<RecordHead>,
    /// Letters of the record.
    pub length_bp: u64,
    /// Chunks of the record; 0 for a failed one.
    pub chunks: u64,
    /// Chunks with at least one row.
    pub chunks_with_frames: u64,
    /// Rows of the record.
    pub frames: u64,
    /// What the record consists of.
    pub status: RecordStatus,
}

/// A chunk of a record, whether it has rows or not.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordChunk {
    /// The record.
    pub record: Arc<RecordHead>,
    /// The position of the chunk in the record.
    pub position: ChunkPosition,
}

/// A piece of the prepared input, of bounded size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Every chunk, in input order; the rows of each are in the same block.
    pub chunks: Vec<RecordChunk>,
    /// Rows in input order.
    pub rows: Vec<FrameRow>,
    /// Chunks without an ORF, in input order; empty without
    /// [`FrameReader::with_orfless_chunks`](crate::FrameReader::with_orfless_chunks).
    pub orfless: Vec<OrflessChunk>,
    /// The records that end in this block, in input order.
    pub records: Vec<RecordOutcome>,
}

/// Counts of what has been prepared so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Bases of these records.
    pub bases: u64,
    /// Chunks of these records.
    pub chunks: u64,
    /// Rows found.
    pub frames: u64,
}
