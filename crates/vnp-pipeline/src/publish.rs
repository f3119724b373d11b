mod dna_only;
mod order;
mod scores;

use std::collections::BTreeMap;

use vnp_ckpt::RowRange;
use vnp_seq::{Block, FrameRow, OrflessChunk, RecordOutcome};
use vnp_validate::Failure;

use crate::directory::{OutputDirectory, names};
use crate::error::Error;
use crate::manifest::Counts;
use crate::results::{ChunkTally, Consensus, Frames, Output, RecordTally, ResultDigest, Sequences};
use crate::resume::Inventory;
use crate::source::Source;
use crate::stage::Stage;
use crate::stop::StopFlag;
use crate::survey::{Survey, confirm};
use crate::track::Track;
use dna_only::DnaOnly;
use order::{InOrder, Item};
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
/// input's rows, and the input to be what it was. `None` when a stop was asked for before that.
pub(crate) fn publish(
    directory: &OutputDirectory,
    inventory: &Inventory,
    source: Source<'_>,
    survey: &Survey,
    tracks: &[Track],
    keep_frames: bool,
    stop: &StopFlag,
) -> Result<Option<Published>, Error> {
    for &track in tracks {
        let everything = RowRange { start: 0, end: survey.rows_of(track) };
        let missing = inventory.covered(track.scores()).missing_in(everything);
        if !missing.is_empty() {
            return Err(Error::Incomplete { missing });
        }
    }
    let mut reader = source.open(tracks)?;
    let mut writers = Writers::create(directory, inventory, tracks, keep_frames)?;
    while let Some(block) = reader.next_block()? {
        writers.block(block)?;
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
    dna_only: Option<DnaOnly>,
    chunk: Option<ChunkTally>,
    record: RecordTally,
    counts: Counts,
}

impl Writers {
    fn create(
        directory: &OutputDirectory,
        inventory: &Inventory,
        tracks: &[Track],
        keep_frames: bool,
    ) -> Result<Self, Error> {
        let fasta = |name| Output::create(directory.result(name));
        let score_all = tracks.contains(&Track::ClosedChunks);
        Ok(Self {
            scores: ScoreReader::new(inventory.parts(Stage::Scores)),
            frames: Frames::create(directory.result(names::FRAMES))?,
            consensus: Consensus::create(
                directory.result(names::CONSENSUS),
                directory.checkpoints(),
            )?,
            sequences: Sequences::create(directory.result(names::SEQUENCES), score_all)?,
            failed: Output::create(directory.failed_files())?,
            fasta: match keep_frames {
                true => Some([fasta(names::NUCLEOTIDE_FASTA)?, fasta(names::PROTEIN_FASTA)?]),
                false => None,
            },
            dna_only: match score_all {
                true => Some(DnaOnly::create(directory, inventory)?),
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
            Item::Closed(chunk) => self.closed(&chunk),
            Item::End(outcome) => self.end_record(&outcome),
        })
    }

    fn frame(&mut self, frame: &FrameRow) -> Result<(), Error> {
        let scores = self.scores.next(frame)?;
        self.counts.rows += 1;
        if self.chunk.as_ref().is_none_or(|chunk| chunk.position != frame.chunk) {
            self.end_chunk()?;
            self.chunk = Some(ChunkTally::of_frame(frame));
        }
        let Some(scores) = scores else {
            self.counts.rows_failed += 1;
            self.record.failed_rows += 1;
            return Ok(());
        };
        if let Some(chunk) = &mut self.chunk {
            chunk.add(scores);
        }
        self.frames.add(&frame.id, scores)
    }

    fn closed(&mut self, chunk: &OrflessChunk) -> Result<(), Error> {
        self.end_chunk()?;
        self.dna_only.as_mut().map_or(Ok(()), |dna_only| dna_only.closed(chunk))
    }

    fn end_chunk(&mut self) -> Result<(), Error> {
        let Some(chunk) = self.chunk.take() else { return Ok(()) };
        self.record.add(&chunk);
        self.consensus.add(&chunk)?;
        self.dna_only.as_mut().map_or(Ok(()), |dna_only| dna_only.open(&chunk))
    }

    fn end_record(&mut self, outcome: &RecordOutcome) -> Result<(), Error> {
        self.end_chunk()?;
        let open = std::mem::take(&mut self.record);
        let closed = self.dna_only.as_mut().map(DnaOnly::take_record).unwrap_or_default();
        self.counts.chunks_scored += open.chunks_scored;
        // Closed chunks speak for a record that has no others; the values never mix.
        let tally = if outcome.frames == 0 { &closed } else { &open };
        let verdict = self.sequences.add(outcome, tally)?;
        self.counts.records_viral += u64::from(verdict.viral);
        if let Some(dna_only) = &mut self.dna_only {
            dna_only.judged(&verdict);
        }
        let unscored = closed.failed_rows;
        let failure = verdict.failure.or_else(|| {
            (unscored > 0).then(|| {
                format!(
                    "{unscored} chunk(s) without an open frame gave an embedding that is not finite"
                )
            })
        });
        if let Some(reason) = failure {
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
        if let Some(dna_only) = self.dna_only {
            let (chunks, counts) = dna_only.finish()?;
            finished.push((names::CHUNKS, chunks));
            self.counts.dna_only = Some(counts);
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
