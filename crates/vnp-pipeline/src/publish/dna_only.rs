use vnp_seq::OrflessChunk;

use super::scores::ScoreReader;
use crate::directory::{OutputDirectory, names};
use crate::error::Error;
use crate::manifest::DnaOnlyCounts;
use crate::results::{ChunkTally, Chunks, Evidence, Finished, RecordTally, Verdict};
use crate::resume::Inventory;
use crate::stage::Stage;

/// What a run publishes of the chunks without an open frame, if it scores them.
pub(super) struct DnaOnly {
    scores: ScoreReader,
    chunks: Chunks,
    record: RecordTally,
    counts: DnaOnlyCounts,
}

impl DnaOnly {
    pub(super) fn create(
        directory: &OutputDirectory,
        inventory: &Inventory,
    ) -> Result<Self, Error> {
        Ok(Self {
            scores: ScoreReader::new(inventory.parts(Stage::DnaOnly)),
            chunks: Chunks::create(directory.result(names::CHUNKS))?,
            record: RecordTally::default(),
            counts: DnaOnlyCounts::default(),
        })
    }

    /// A chunk without an open frame.
    pub(super) fn closed(&mut self, chunk: &OrflessChunk) -> Result<(), Error> {
        let scores = self.scores.next(chunk)?;
        self.counts.rows += 1;
        let Some(scores) = scores else {
            self.counts.rows_failed += 1;
            self.record.failed_rows += 1;
            return Ok(());
        };
        let mut tally = ChunkTally::of_closed(chunk);
        tally.add(scores);
        self.counts.chunks_viral += u64::from(tally.is_viral() == Some(true));
        self.record.add(&tally);
        self.chunks.add(&tally, Evidence::DnaOnly)
    }

    /// A chunk that is scored by its frames.
    pub(super) fn open(&mut self, tally: &ChunkTally) -> Result<(), Error> {
        self.chunks.add(tally, Evidence::Frames)
    }

    /// The tally of the record that ends here.
    pub(super) fn take_record(&mut self) -> RecordTally {
        std::mem::take(&mut self.record)
    }

    /// What became of it.
    pub(super) fn judged(&mut self, verdict: &Verdict) {
        if verdict.evidence == Some(Evidence::DnaOnly) {
            self.counts.records_scored += 1;
            self.counts.records_viral += u64::from(verdict.viral);
        }
    }

    pub(super) fn finish(self) -> Result<(Finished, DnaOnlyCounts), Error> {
        Ok((self.chunks.finish()?, self.counts))
    }
}
