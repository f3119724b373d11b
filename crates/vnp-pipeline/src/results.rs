//! The result files, written from scores that cover every row.

mod consensus;
mod frames;
mod number;
mod output;
mod sequences;
mod sorter;
mod tally;

pub(crate) use consensus::Consensus;
pub(crate) use frames::Frames;
pub(crate) use output::{Output, ResultDigest};
pub(crate) use sequences::Sequences;
pub(crate) use tally::{ChunkTally, RecordTally};
