//! What a run publishes of the chunks without an ORF.

use vnp_job::parts::{DnaOnlyCounts, Inventory, Track};
use vnp_seq::OrflessChunk;

use super::scores::ScoreReader;
use crate::error::Error;
use crate::results::{ChunkTally, Evidence, RecordTally, Verdict};

/// What a run publishes of the chunks without an ORF, if it scores them.
pub(super) struct NucleotideOnly {
    scores: ScoreReader,
    record: RecordTally,
    pub(super) counts: DnaOnlyCounts,
}

impl NucleotideOnly {
    pub(super) fn new(inventory: &Inventory) -> Self {
        Self {
            scores: ScoreReader::new(inventory, Track::OrflessChunks),
            record: RecordTally::default(),
            counts: DnaOnlyCounts::default(),
        }
    }

    /// Adds the score of a chunk without an ORF to the chunk, and the chunk to its record.
    pub(super) fn add(
        &mut self,
        chunk: &OrflessChunk,
        tally: &mut ChunkTally,
    ) -> Result<(), Error> {
        self.counts.rows += 1;
        match self.scores.next(chunk)? {
            Ok(scores) => tally.add(scores),
            Err(failed) => {
                self.counts.rows_failed += 1;
                tally.failed += 1;
                self.record.add_failed(failed);
            }
        }
        self.counts.chunks_viral += u64::from(tally.is_viral() == Some(true));
        self.record.add(tally);
        Ok(())
    }

    /// The tally of the record that ends here.
    pub(super) fn take_record(&mut self) -> RecordTally {
        std::mem::take(&mut self.record)
    }

    /// Counts the verdict on that record.
    pub(super) fn count(&mut self, verdict: &Verdict) {
        if verdict.evidence == Some(Evidence::NucleotideOnly) {
            self.counts.records_scored += 1;
            self.counts.records_viral += u64::from(verdict.viral);
        }
    }
}
