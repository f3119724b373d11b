//! The tables of a run while they are written, chunk by chunk and record by record.

use std::collections::BTreeMap;
use std::sync::Arc;

use vnp_calls::ContigTable;
use vnp_job::parts::{Counts, Inventory, Track};
use vnp_job::publish::{CompleteFile, Output};
use vnp_job::{JobDirectory, remove_file_if_there};
use vnp_seq::{Block, RecordOutcome};
use vnp_validate::Failure;

use super::accounting::Accounting;
use super::announcement::announce;
use super::nucleotide_only::NucleotideOnly;
use super::order::{ChunkRows, InOrder, Item};
use super::published::{Published, Tables, Totals, with_survey};
use super::scores::ScoreReader;
use crate::error::Error;
use crate::names;
use crate::publishing::{self, ContigCalls, Publishing};
use crate::results::{
    ChunkTally, Chunks, Consensus, Evidence, Frames, RecordNames, RecordTally, Sequences,
};
use crate::survey::Survey;

/// Every table, written in one pass over the input and the scores.
pub(super) struct Writers {
    names: RecordNames,
    scores: ScoreReader,
    frames: Frames,
    consensus: Consensus,
    sequences: Sequences,
    chunks: Option<Chunks>,
    contigs: Option<ContigTable<Output>>,
    failed: Output,
    fasta: Option<[Output; 2]>,
    nucleotide_only: Option<NucleotideOnly>,
    record: RecordTally,
    counts: Counts,
    accounting: Accounting,
}

impl Writers {
    /// Begins every table of a run of this many chunks.
    pub(super) fn create(
        directory: &JobDirectory,
        inventory: &Inventory,
        tables: Tables<'_>,
        chunks: u64,
    ) -> Result<Self, Error> {
        let Tables { tracks, publishing, names } = tables;
        let output = |name| {
            let path = directory.result(&publishing.file_name(name));
            Output::create_as(path, publishing.compression)
        };
        let score_all = tracks.contains(&Track::OrflessChunks);
        let with_input = names.have_input();
        let rows = publishing.chunk_rows(chunks);
        if rows == publishing::ChunkRows::Scored && publishing.chunks.is_none() {
            log::info!(
                "{}: of {chunks} chunks only those with a score have a row; --chunks all gives every one",
                names::CHUNKS
            );
        }
        let scratch = directory.checkpoints();
        Ok(Self {
            names,
            scores: ScoreReader::new(inventory, Track::Frames),
            frames: Frames::create(output(names::FRAMES)?)?,
            consensus: Consensus::create(output(names::CONSENSUS)?, publishing.compat, scratch)?,
            sequences: Sequences::create(output(names::SEQUENCES)?, score_all, with_input)?,
            chunks: match rows {
                publishing::ChunkRows::None => None,
                rows => Some(Chunks::create(output(names::CHUNKS)?, rows, with_input)?),
            },
            contigs: match &publishing.calls {
                None => None,
                Some(calls) => Some(contig_table(output(names::CONTIG_CALLS)?, calls, directory)?),
            },
            failed: Output::create(directory.failed_files())?,
            fasta: match publishing.keep_frames {
                true => Some([output(names::NUCLEOTIDE_FASTA)?, output(names::PROTEIN_FASTA)?]),
                false => None,
            },
            nucleotide_only: score_all.then(|| NucleotideOnly::new(inventory)),
            record: RecordTally::default(),
            counts: Counts::default(),
            accounting: Accounting::default(),
        })
    }

    pub(super) fn block(&mut self, block: Block) -> Result<(), Error> {
        if let Some([nucleotide, protein]) = &mut self.fasta {
            let rows = &block.rows;
            nucleotide.rows_with(rows.len(), |out| vnp_seq::write_nucleotide_fasta(out, rows))?;
            protein.rows_with(rows.len(), |out| vnp_seq::write_protein_fasta(out, rows))?;
        }
        InOrder::new(block).try_for_each(|item| match item {
            Item::Chunk(chunk) => self.chunk(chunk),
            Item::End(outcome) => self.end_record(&outcome),
        })
    }

    fn chunk(&mut self, ChunkRows { chunk, frames, orfless }: ChunkRows) -> Result<(), Error> {
        let record = self.names.of(&chunk.record)?;
        let mut tally = ChunkTally::new(Arc::clone(&record), chunk.position);
        for frame in &frames {
            self.counts.rows += 1;
            tally.frames += 1;
            match self.scores.next(frame)? {
                Ok(scores) => {
                    tally.add(scores);
                    self.frames.add(&record, frame, scores)?;
                }
                Err(failed) => {
                    self.counts.rows_failed += 1;
                    tally.failed += 1;
                    self.record.add_failed(failed);
                }
            }
        }
        self.record.add(&tally);
        self.consensus.add(&tally)?;
        if let Some(contigs) = &mut self.contigs {
            if chunk.position.index == 0 {
                contigs.begin_record(&record.id)?;
            }
            if let Some([s0, s1]) = tally.largest() {
                contigs.chunk(u64::from(chunk.position.index) + 1, s0, s1)?;
            }
        }
        let evidence = if frames.is_empty() { Evidence::NucleotideOnly } else { Evidence::Frames };
        if let Some((nucleotide_only, orfless)) = self.nucleotide_only.as_mut().zip(orfless) {
            nucleotide_only.add(&orfless, &mut tally)?;
        }
        self.accounting.add_chunk(tally.state());
        self.chunks.as_mut().map_or(Ok(()), |chunks| Ok(chunks.add(&tally, evidence)?))
    }

    fn end_record(&mut self, outcome: &RecordOutcome) -> Result<(), Error> {
        let by_frames = std::mem::take(&mut self.record);
        let by_nucleotides =
            self.nucleotide_only.as_mut().map(NucleotideOnly::take_record).unwrap_or_default();
        self.counts.chunks_scored += by_frames.chunks_scored;
        // Chunks without an ORF decide only for a record that has no others; the values never mix.
        let tally = if outcome.frames == 0 { &by_nucleotides } else { &by_frames };
        let name = self.names.of(&outcome.record)?;
        let verdict = self.sequences.add(&name, outcome, tally)?;
        self.counts.records_viral += u64::from(verdict.viral);
        self.accounting.add_record(&verdict, outcome.length_bp);
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

    /// Gives every table its name, once all of them are complete and durable.
    pub(super) fn finish(
        self,
        directory: &JobDirectory,
        survey: &Survey,
        publishing: &Publishing,
    ) -> Result<Published, Error> {
        let mut finished: Vec<(&str, CompleteFile)> = vec![
            (names::FRAMES, self.frames.finish()?),
            (names::CONSENSUS, self.consensus.finish()?),
            (names::SEQUENCES, self.sequences.finish()?),
        ];
        if let Some(chunks) = self.chunks {
            finished.push((names::CHUNKS, chunks.finish()?));
        }
        let mut contigs = None;
        if let Some(table) = self.contigs {
            let (mut output, summary) = table.finish()?;
            output.count_rows(summary.rows);
            finished.push((names::CONTIG_CALLS, output.finish()?));
            contigs = Some(summary);
        }
        if let Some([nucleotide, protein]) = self.fasta {
            finished.push((names::NUCLEOTIDE_FASTA, nucleotide.finish()?));
            finished.push((names::PROTEIN_FASTA, protein.finish()?));
        }
        let failed = self.failed.finish()?;
        directory.check_lock()?;
        let names = finished.iter().map(|(name, _)| publishing.file_name(name));
        announce(directory, &names.collect::<Vec<_>>())?;
        let mut results = BTreeMap::new();
        for (name, file) in finished {
            results.insert(publishing.file_name(name), file.publish()?);
        }
        if self.counts.records_failed > 0 {
            failed.publish()?;
        } else {
            remove_file_if_there(&directory.failed_files())?;
        }
        let dna_only = self.nucleotide_only.map(|nucleotide_only| nucleotide_only.counts);
        Ok(Published {
            counts: with_survey(Counts { dna_only, ..self.counts }, survey),
            maybe_truncated: survey.maybe_truncated,
            results,
            publishing: publishing.record(survey.chunks),
            totals: Some(Totals { accounting: self.accounting, contigs }),
        })
    }
}

fn contig_table(
    output: Output,
    calls: &ContigCalls,
    directory: &JobDirectory,
) -> Result<ContigTable<Output>, vnp_calls::Error> {
    match &calls.group_pattern {
        None => ContigTable::new(output, calls.options),
        Some(pattern) => {
            let scratch = directory.checkpoints();
            ContigTable::grouped(output, calls.options, pattern.clone(), scratch)
        }
    }
}
