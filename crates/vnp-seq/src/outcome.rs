//! What a prepared input consists of.

use crate::{ChunkPosition, ClosedChunk, Frame};

/// A stop-free frame of a chunk: one row of every stage that follows.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct FrameRow {
    /// `{record id}_chunk_{i}{frame}`, chunks counted from 1; not unique where record ids are not.
    pub id: String,
    /// 0-based number of the record in the whole input.
    pub record: u64,
    /// Where the chunk lies in the record.
    pub chunk: ChunkPosition,
    /// The frame.
    pub frame: Frame,
    /// The frame's window of its strand, upper case; see [`OpenFrame`](crate::OpenFrame).
    pub nucleotide: String,
    /// The translation, without stops.
    pub protein: String,
}

/// How a record ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum RecordStatus {
    /// It has at least one row.
    HasFrames,
    /// It has chunks, and each of their frames holds a stop or no whole codon.
    NoOpenFrame,
    /// It is shorter than a codon (1 or 2 bp).
    TooShort,
    /// It has no letters.
    Empty,
    /// It is no nucleotide sequence.
    Failed {
        /// Which letter, and where.
        reason: String,
    },
}

/// What became of a record; every record of an input has one, in input order.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct RecordOutcome {
    /// 0-based number of the record in the whole input.
    pub record: u64,
    /// Its id.
    pub id: String,
    /// Its length.
    pub length_bp: u64,
    /// How many chunks it was cut into; 0 for a failed one.
    pub chunks: u64,
    /// How many of them have a row.
    pub chunks_with_frames: u64,
    /// How many rows it has.
    pub frames: u64,
    /// How it ended.
    pub status: RecordStatus,
}

/// A piece of the prepared input, of bounded size.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Rows in input order.
    pub rows: Vec<FrameRow>,
    /// The chunks between them that have no row, in input order; empty unless
    /// [`FrameReader::with_closed_chunks`](crate::FrameReader::with_closed_chunks) asked for them.
    pub closed: Vec<ClosedChunk>,
    /// The records that end in this block, in input order.
    pub records: Vec<RecordOutcome>,
}

/// How much has been prepared so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Records read.
    pub records: u64,
    /// Their bases.
    pub bases: u64,
    /// Chunks cut.
    pub chunks: u64,
    /// Rows made.
    pub frames: u64,
}
