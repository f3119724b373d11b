//! The result files, written from scores that cover every row.

mod chunks;
mod consensus;
mod evidence;
mod frames;
mod name;
mod sequences;
mod status;
mod tally;

pub(crate) use chunks::Chunks;
pub(crate) use consensus::Consensus;
pub(crate) use evidence::Evidence;
pub(crate) use frames::Frames;
pub(crate) use name::RecordNames;
pub(crate) use sequences::{Sequences, Verdict};
pub(crate) use status::Status;
pub(crate) use tally::{ChunkState, ChunkTally, RecordTally};
