//! Every record, base and chunk of a run, counted once, by what became of it.

use serde::Serialize;

use crate::results::{ChunkState, Status, Verdict};

/// Every record, base and chunk of the input.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct Accounting {
    pub(crate) records: ByOutcome,
    /// The bases of these records.
    pub(crate) bases: ByOutcome,
    pub(crate) chunks: ByState,
}

/// Records, or their bases, by what became of the record. All but `total` add up to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ByOutcome {
    pub(crate) total: u64,
    /// Scored, and a virus.
    pub(crate) viral: u64,
    /// Scored, and no virus.
    pub(crate) other: u64,
    pub(crate) no_open_frame: u64,
    pub(crate) too_short: u64,
    pub(crate) empty: u64,
    /// The record or a row of it failed; it may have a score.
    pub(crate) failed: u64,
}

/// Chunks by their state. All but `total` add up to it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct ByState {
    pub(crate) total: u64,
    pub(crate) viral: u64,
    pub(crate) other: u64,
    pub(crate) no_evidence: u64,
    pub(crate) failed: u64,
}

impl Accounting {
    /// Counts a record and its bases.
    pub(super) fn add_record(&mut self, verdict: &Verdict, bases: u64) {
        for (counts, number) in [(&mut self.records, 1), (&mut self.bases, bases)] {
            counts.total += number;
            *counts.of(verdict) += number;
        }
    }

    pub(super) fn add_chunk(&mut self, state: ChunkState) {
        let chunks = &mut self.chunks;
        chunks.total += 1;
        *match state {
            ChunkState::Viral => &mut chunks.viral,
            ChunkState::Other => &mut chunks.other,
            ChunkState::NoEvidence => &mut chunks.no_evidence,
            ChunkState::Failed => &mut chunks.failed,
        } += 1;
    }
}

impl ByOutcome {
    fn of(&mut self, verdict: &Verdict) -> &mut u64 {
        match verdict.status {
            Status::Scored if verdict.viral => &mut self.viral,
            Status::Scored => &mut self.other,
            Status::NoOpenFrame => &mut self.no_open_frame,
            Status::TooShort => &mut self.too_short,
            Status::Empty => &mut self.empty,
            Status::Failed => &mut self.failed,
        }
    }
}
