//! What a run publishes of the chunks without an ORF.

use std::sync::Arc;

use vnp_job::JobDirectory;
use vnp_job::parts::{DnaOnlyCounts, Inventory, Track};
use vnp_job::publish::CompleteFile;
use vnp_seq::OrflessChunk;

use super::scores::ScoreReader;
use crate::error::Error;
use crate::names;
use crate::results::{ChunkTally, Chunks, Evidence, RecordName, RecordTally, Verdict};

/// What a run publishes of the chunks without an ORF, if it scores them.
pub(super) struct NucleotideOnly {
    scores: ScoreReader,
    chunks: Chunks,
    record: RecordTally,
    counts: DnaOnlyCounts,
}

impl NucleotideOnly {
    pub(super) fn create(
        directory: &JobDirectory,
        inventory: &Inventory,
        with_input: bool,
    ) -> Result<Self, Error> {
        Ok(Self {
            scores: ScoreReader::new(inventory, Track::OrflessChunks),
            chunks: Chunks::create(directory.result(names::CHUNKS), with_input)?,
            record: RecordTally::default(),
            counts: DnaOnlyCounts::default(),
        })
    }

    /// Adds a chunk without an ORF, of the record with this name.
    pub(super) fn orfless_chunk(
        &mut self,
        chunk: &OrflessChunk,
        record: Arc<RecordName>,
    ) -> Result<(), Error> {
        let scores = self.scores.next(chunk)?;
        self.counts.rows += 1;
        let scores = match scores {
            Ok(scores) => scores,
            Err(failed) => {
                self.counts.rows_failed += 1;
                self.record.add_failed(failed);
                return Ok(());
            }
        };
        let mut tally = ChunkTally::new(record, chunk.chunk);
        tally.add(scores);
        self.counts.chunks_viral += u64::from(tally.is_viral() == Some(true));
        self.record.add(&tally);
        Ok(self.chunks.add(&tally, Evidence::NucleotideOnly)?)
    }

    /// Adds a chunk that is scored by its frames.
    pub(super) fn chunk_with_orfs(&mut self, tally: &ChunkTally) -> Result<(), Error> {
        Ok(self.chunks.add(tally, Evidence::Frames)?)
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

    pub(super) fn finish(self) -> Result<(CompleteFile, DnaOnlyCounts), Error> {
        Ok((self.chunks.finish()?, self.counts))
    }
}
