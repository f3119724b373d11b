mod scores;

use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;

use vnp_ckpt::RowRange;
use vnp_seq::{ChunkLength, FrameReader, FrameRow, RecordOutcome};
use vnp_validate::Failure;

use crate::directory::{OutputDirectory, names};
use crate::error::Error;
use crate::manifest::Counts;
use crate::results::{ChunkTally, Consensus, Frames, Output, RecordTally, ResultDigest, Sequences};
use crate::resume::Inventory;
use crate::stage::Stage;
use crate::stop::StopFlag;
use crate::survey::{Survey, confirm};
use scores::ScoreReader;

/// What was published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) counts: Counts,
    pub(crate) results: BTreeMap<String, ResultDigest>,
}

/// Writes every result file from the scores and a last reading of the input.
///
/// Nothing gets its final name before the parts are proved to cover every row with the ids of the
/// input's frames, and the input to be what it was. `None` when a stop was asked for before that.
pub(crate) fn publish(
    directory: &OutputDirectory,
    inventory: &Inventory,
    inputs: &[PathBuf],
    chunk_length: ChunkLength,
    survey: &Survey,
    keep_frames: bool,
    stop: &StopFlag,
) -> Result<Option<Published>, Error> {
    let everything = RowRange { start: 0, end: survey.rows };
    let missing = inventory.covered(Stage::Scores).missing_in(everything);
    if !missing.is_empty() {
        return Err(Error::Incomplete { missing });
    }
    let mut reader = FrameReader::open(inputs, chunk_length)?;
    let mut writers = Writers::create(directory, inventory, keep_frames)?;
    while let Some(block) = reader.next_block()? {
        writers.block(block.rows, block.records)?;
        if stop.requested().is_some() {
            return Ok(None);
        }
    }
    confirm(&mut reader, survey)?;
    writers.finish(directory, survey).map(Some)
}

struct Writers {
    scores: ScoreReader,
    frames: Frames,
    consensus: Consensus,
    sequences: Sequences,
    failed: Output,
    fasta: Option<[Output; 2]>,
    chunk: Option<ChunkTally>,
    record: RecordTally,
    counts: Counts,
}

impl Writers {
    fn create(
        directory: &OutputDirectory,
        inventory: &Inventory,
        keep_frames: bool,
    ) -> Result<Self, Error> {
        let fasta = |name| Output::create(directory.result(name));
        Ok(Self {
            scores: ScoreReader::new(inventory.parts(Stage::Scores)),
            frames: Frames::create(directory.result(names::FRAMES))?,
            consensus: Consensus::create(
                directory.result(names::CONSENSUS),
                directory.checkpoints(),
            )?,
            sequences: Sequences::create(directory.result(names::SEQUENCES))?,
            failed: Output::create(directory.failed_files())?,
            fasta: match keep_frames {
                true => Some([fasta(names::NUCLEOTIDE_FASTA)?, fasta(names::PROTEIN_FASTA)?]),
                false => None,
            },
            chunk: None,
            record: RecordTally::default(),
            counts: Counts::default(),
        })
    }

    /// Rows and the records that end among them, interleaved as they lie in the input.
    fn block(&mut self, rows: Vec<FrameRow>, records: Vec<RecordOutcome>) -> Result<(), Error> {
        if let Some([nucleotide, protein]) = &mut self.fasta {
            nucleotide.rows_with(rows.len(), |out| vnp_seq::write_nucleotide_fasta(out, &rows))?;
            protein.rows_with(rows.len(), |out| vnp_seq::write_protein_fasta(out, &rows))?;
        }
        let mut records = VecDeque::from(records);
        for row in rows {
            while let Some(ended) = records.pop_front_if(|ended| ended.record < row.record) {
                self.end_record(&ended)?;
            }
            self.row(&row)?;
        }
        records.iter().try_for_each(|ended| self.end_record(ended))
    }

    fn row(&mut self, row: &FrameRow) -> Result<(), Error> {
        let scores = self.scores.next(row)?;
        self.counts.rows += 1;
        if self.chunk.as_ref().is_none_or(|chunk| chunk.position != row.chunk) {
            self.end_chunk()?;
            self.chunk = Some(ChunkTally::new(row));
        }
        let Some(scores) = scores else {
            self.counts.rows_failed += 1;
            self.record.failed_rows += 1;
            return Ok(());
        };
        if let Some(chunk) = &mut self.chunk {
            chunk.add(scores);
        }
        self.frames.add(&row.id, scores)
    }

    fn end_chunk(&mut self) -> Result<(), Error> {
        if let Some(chunk) = self.chunk.take() {
            self.record.add(&chunk);
            self.consensus.add(&chunk)?;
        }
        Ok(())
    }

    fn end_record(&mut self, outcome: &RecordOutcome) -> Result<(), Error> {
        self.end_chunk()?;
        let tally = std::mem::take(&mut self.record);
        self.counts.chunks_scored += tally.chunks_scored;
        let verdict = self.sequences.add(outcome, &tally)?;
        self.counts.records_viral += u64::from(verdict.viral);
        if let Some(reason) = verdict.failure {
            self.counts.records_failed += 1;
            self.failed.row(&Failure::now(&outcome.id, reason).line())?;
        }
        Ok(())
    }

    fn finish(mut self, directory: &OutputDirectory, survey: &Survey) -> Result<Published, Error> {
        self.end_chunk()?;
        let mut finished = vec![
            (names::FRAMES, self.frames.finish()?),
            (names::CONSENSUS, self.consensus.finish()?),
            (names::SEQUENCES, self.sequences.finish()?),
        ];
        if let Some([nucleotide, protein]) = self.fasta {
            finished.push((names::NUCLEOTIDE_FASTA, nucleotide.finish()?));
            finished.push((names::PROTEIN_FASTA, protein.finish()?));
        }
        let failed = self.failed.finish()?;
        // Every file is complete and durable before the first one gets its name.
        let mut results = BTreeMap::new();
        for (name, file) in finished {
            results.insert(name.to_owned(), file.publish()?);
        }
        if self.counts.records_failed > 0 {
            failed.publish()?;
        } else {
            crate::directory::remove_if_there(&directory.failed_files())?;
        }
        let counts = Counts {
            records: survey.records,
            bases: survey.bases,
            chunks: survey.chunks,
            records_no_open_frame: survey.no_open_frame,
            records_too_short: survey.too_short,
            records_empty: survey.empty,
            ..self.counts
        };
        Ok(Published { counts, results })
    }
}
