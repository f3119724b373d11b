//! The result files, written from the parts and a last reading of the input.

mod nucleotide_only;
mod order;
mod scores;
mod stored_rows;

use std::collections::BTreeMap;

use vnp_ckpt::RowRange;
use vnp_job::parts::{Counts, Inventory, Stage, Track};
use vnp_job::publish::{FileDigest, Output};
use vnp_job::{JobDirectory, StopFlag, remove_file_if_there};
use vnp_seq::{Block, FrameRow, OrflessChunk, RecordOutcome};
use vnp_validate::Failure;

use crate::error::Error;
use crate::names;
use crate::reading::confirm;
use crate::results::{ChunkTally, Consensus, Frames, RecordNames, RecordTally, Sequences};
use crate::source::Source;
use crate::survey::Survey;
use nucleotide_only::NucleotideOnly;
use order::{InOrder, Item};
use scores::ScoreReader;
use stored_rows::StoredRows;

/// What was published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) counts: Counts,
    /// Whether an input may be truncated.
    pub(crate) maybe_truncated: bool,
    pub(crate) results: BTreeMap<String, FileDigest>,
}

/// What the tables hold beyond scores.
pub(crate) struct Tables {
    /// The tracks with a table.
    pub(crate) tracks: &'static [Track],
    /// Whether the frames are written as FASTA too.
    pub(crate) keep_frames: bool,
    /// What records are called.
    pub(crate) names: RecordNames,
}

/// Writes every result file from the scores and a last reading of the input.
///
/// Nothing gets its final name before the parts are proved to cover every row with the ids of the
/// input's rows, and the input to be what it was. A stop is answered before that.
pub(crate) fn publish(
    directory: &JobDirectory,
    inventory: &Inventory,
    source: Source<'_>,
    survey: &Survey,
    tables: Tables,
    stop: &StopFlag,
) -> Result<Published, Error> {
    for &track in tables.tracks {
        check_covered(inventory, Stage::scoring(track), survey)?;
    }
    let mut reader = source.open(tables.tracks)?;
    let mut writers = Writers::create(directory, inventory, tables)?;
    while let Some(block) = reader.next_block()? {
        writers.block(block)?;
        stop.check()?;
    }
    confirm(&mut reader, survey)?;
    writers.finish(directory, survey)
}

/// What a run publishes whose goal are embeddings: no table, and the counts that are known without
/// scores, once every row of both stages is proved to be that of the input, read again.
pub(crate) fn confirm_embeddings(
    inventory: &Inventory,
    source: Source<'_>,
    survey: &Survey,
    stop: &StopFlag,
) -> Result<Published, Error> {
    for stage in Stage::EMBEDDINGS {
        check_covered(inventory, stage, survey)?;
    }
    let mut stages = Stage::EMBEDDINGS.map(|stage| StoredRows::new(inventory.parts(stage)));
    let mut counts = Counts::default();
    let mut reader = source.open(&[Track::Frames])?;
    while let Some(block) = reader.next_block()? {
        for frame in &block.rows {
            let mut failed = false;
            for stage in &mut stages {
                failed |= stage.next(frame)?.is_err();
            }
            counts.rows += 1;
            counts.rows_failed += u64::from(failed);
        }
        stop.check()?;
    }
    confirm(&mut reader, survey)?;
    let counts = with_survey(counts, survey);
    let maybe_truncated = survey.maybe_truncated;
    Ok(Published { counts, maybe_truncated, results: BTreeMap::new() })
}

/// Checks that the parts of a stage cover every row of its track.
fn check_covered(inventory: &Inventory, stage: Stage, survey: &Survey) -> Result<(), Error> {
    let everything = RowRange { start: 0, end: survey.rows_of(stage.track()) };
    let missing = inventory.missing(stage, everything);
    if missing.is_empty() { Ok(()) } else { Err(Error::Incomplete { stage, missing }) }
}

/// The counts, with what the first reading of the input counted.
fn with_survey(counts: Counts, survey: &Survey) -> Counts {
    Counts {
        records: survey.records,
        records_with_duplicate_id: survey.duplicate_ids,
        bases: survey.bases,
        chunks: survey.chunks,
        records_no_open_frame: survey.no_open_frame,
        records_too_short: survey.too_short,
        records_empty: survey.empty,
        ..counts
    }
}

struct Writers {
    names: RecordNames,
    scores: ScoreReader,
    frames: Frames,
    consensus: Consensus,
    sequences: Sequences,
    failed: Output,
    fasta: Option<[Output; 2]>,
    nucleotide_only: Option<NucleotideOnly>,
    chunk: Option<ChunkTally>,
    record: RecordTally,
    counts: Counts,
}

impl Writers {
    fn create(
        directory: &JobDirectory,
        inventory: &Inventory,
        tables: Tables,
    ) -> Result<Self, Error> {
        let Tables { tracks, keep_frames, names } = tables;
        let fasta = |name| Output::create(directory.result(name));
        let score_all = tracks.contains(&Track::OrflessChunks);
        let with_input = names.have_input();
        Ok(Self {
            names,
            scores: ScoreReader::new(inventory, Track::Frames),
            frames: Frames::create(directory.result(names::FRAMES))?,
            consensus: Consensus::create(
                directory.result(names::CONSENSUS),
                directory.checkpoints(),
            )?,
            sequences: Sequences::create(
                directory.result(names::SEQUENCES),
                score_all,
                with_input,
            )?,
            failed: Output::create(directory.failed_files())?,
            fasta: match keep_frames {
                true => Some([fasta(names::NUCLEOTIDE_FASTA)?, fasta(names::PROTEIN_FASTA)?]),
                false => None,
            },
            nucleotide_only: match score_all {
                true => Some(NucleotideOnly::create(directory, inventory, with_input)?),
                false => None,
            },
            chunk: None,
            record: RecordTally::default(),
            counts: Counts::default(),
        })
    }

    fn block(&mut self, block: Block) -> Result<(), Error> {
        if let Some([nucleotide, protein]) = &mut self.fasta {
            let rows = &block.rows;
            nucleotide.rows_with(rows.len(), |out| vnp_seq::write_nucleotide_fasta(out, rows))?;
            protein.rows_with(rows.len(), |out| vnp_seq::write_protein_fasta(out, rows))?;
        }
        InOrder::new(block).try_for_each(|item| match item {
            Item::Frame(frame) => self.frame(&frame),
            Item::OrflessChunk(chunk) => self.orfless_chunk(&chunk),
            Item::End(outcome) => self.end_record(&outcome),
        })
    }

    fn frame(&mut self, frame: &FrameRow) -> Result<(), Error> {
        let scores = self.scores.next(frame)?;
        let record = self.names.of(&frame.record)?;
        let id = record.frame_id(frame.chunk.index, frame.frame);
        self.counts.rows += 1;
        if self.chunk.as_ref().is_none_or(|chunk| chunk.position != frame.chunk) {
            self.end_chunk()?;
            self.chunk = Some(ChunkTally::new(record, frame.chunk));
        }
        let scores = match scores {
            Ok(scores) => scores,
            Err(failed) => {
                self.counts.rows_failed += 1;
                self.record.add_failed(failed);
                return Ok(());
            }
        };
        if let Some(chunk) = &mut self.chunk {
            chunk.add(scores);
        }
        Ok(self.frames.add(id, scores)?)
    }

    fn orfless_chunk(&mut self, chunk: &OrflessChunk) -> Result<(), Error> {
        self.end_chunk()?;
        let record = self.names.of(&chunk.record)?;
        self.nucleotide_only
            .as_mut()
            .map_or(Ok(()), |nucleotide_only| nucleotide_only.orfless_chunk(chunk, record))
    }

    fn end_chunk(&mut self) -> Result<(), Error> {
        let Some(chunk) = self.chunk.take() else { return Ok(()) };
        self.record.add(&chunk);
        self.consensus.add(&chunk)?;
        self.nucleotide_only
            .as_mut()
            .map_or(Ok(()), |nucleotide_only| nucleotide_only.chunk_with_orfs(&chunk))
    }

    fn end_record(&mut self, outcome: &RecordOutcome) -> Result<(), Error> {
        self.end_chunk()?;
        let by_frames = std::mem::take(&mut self.record);
        let by_nucleotides =
            self.nucleotide_only.as_mut().map(NucleotideOnly::take_record).unwrap_or_default();
        self.counts.chunks_scored += by_frames.chunks_scored;
        // Chunks without an ORF decide only for a record that has no others; the values never mix.
        let tally = if outcome.frames == 0 { &by_nucleotides } else { &by_frames };
        let name = self.names.of(&outcome.record)?;
        let verdict = self.sequences.add(&name, outcome, tally)?;
        self.counts.records_viral += u64::from(verdict.viral);
        if let Some(nucleotide_only) = &mut self.nucleotide_only {
            nucleotide_only.count(&verdict);
        }
        let failure = verdict.failure.or_else(|| {
            let failed = by_nucleotides.failed_rows;
            (failed > 0)
                .then(|| by_nucleotides.failure(&format!("{failed} chunk(s) without an ORF")))
        });
        if let Some(reason) = failure {
            self.counts.records_failed += 1;
            self.failed.row(Failure::now(name.path(), reason).line())?;
        }
        Ok(())
    }

    fn finish(mut self, directory: &JobDirectory, survey: &Survey) -> Result<Published, Error> {
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
        if let Some(nucleotide_only) = self.nucleotide_only {
            let (chunks, counts) = nucleotide_only.finish()?;
            finished.push((names::CHUNKS, chunks));
            self.counts.dna_only = Some(counts);
        }
        let failed = self.failed.finish()?;
        directory.check_lock()?;
        // Every file is complete and durable before the first one gets its name.
        let mut results = BTreeMap::new();
        for (name, file) in finished {
            results.insert(name.to_owned(), file.publish()?);
        }
        if self.counts.records_failed > 0 {
            failed.publish()?;
        } else {
            remove_file_if_there(&directory.failed_files())?;
        }
        let counts = with_survey(self.counts, survey);
        Ok(Published { counts, maybe_truncated: survey.maybe_truncated, results })
    }
}
