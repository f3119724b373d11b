//! `summary.json`: what a run found and what became of every record, base and chunk, for programs that
//! want no tables.

use serde::Serialize;
use serde_json::Value;
use vnp_calls::ContigSummary;
use vnp_job::parts::{Identity, Manifest, ModelRecord};
use vnp_job::{JobDirectory, publish};

use super::context::Run;
use crate::error::Error;
use crate::names;
use crate::publish::{Accounting, Totals};

/// The version of this file. Fields are added without a new one; `docs/summary.schema.json` describes them.
const SUMMARY_VERSION: &str = "1.0";

#[derive(Serialize)]
struct RunSummary<'a> {
    summary_version: &'static str,
    producer: &'a str,
    checkpoint_version: &'a str,
    started: &'a str,
    finished: &'a str,
    model: &'a ModelRecord,
    identity: &'a Identity,
    /// The inputs' names, as they were given.
    inputs: Vec<String>,
    input_maybe_truncated: bool,
    publishing: &'a Value,
    warnings: &'a [String],
    #[serde(flatten)]
    accounting: &'a Accounting,
    frames: Frames,
    records_with_duplicate_id: u64,
    /// What was scored by nucleotides alone; null in a run that did not.
    dna_only: Option<DnaOnly>,
    /// Null where contigs are not called.
    contigs: Option<Contigs>,
    /// Rows of each table.
    rows: Value,
}

/// ORFs. `scored` and `failed` add up to `total`.
#[derive(Serialize)]
struct Frames {
    total: u64,
    scored: u64,
    failed: u64,
}

#[derive(Serialize)]
struct DnaOnly {
    chunks: u64,
    chunks_viral: u64,
    chunks_failed: u64,
    records_scored: u64,
    records_viral: u64,
}

/// Contigs by their call. All but `total` and `unmatched_chunks` add up to `total`.
#[derive(Serialize)]
struct Contigs {
    total: u64,
    viral: u64,
    nonviral: u64,
    ambiguous: u64,
    /// Scored chunks that no contig has, because their id does not match the pattern.
    unmatched_chunks: u64,
}

impl Run<'_> {
    /// Publishes `summary.json` of the run that a manifest records.
    pub(super) fn publish_summary(
        &self,
        directory: &JobDirectory,
        manifest: &Manifest,
        totals: &Totals,
    ) -> Result<(), Error> {
        let Manifest { counts, session, .. } = manifest;
        let rows = manifest.results.iter().map(|(name, file)| (name.clone(), file.rows.into()));
        let contigs = totals.contigs.map(|contigs: ContigSummary| Contigs {
            total: contigs.rows,
            viral: contigs.viral,
            nonviral: contigs.nonviral,
            ambiguous: contigs.ambiguous,
            unmatched_chunks: contigs.unmatched_chunks,
        });
        let dna_only = counts.dna_only.as_ref().map(|counts| DnaOnly {
            chunks: counts.rows,
            chunks_viral: counts.chunks_viral,
            chunks_failed: counts.rows_failed,
            records_scored: counts.records_scored,
            records_viral: counts.records_viral,
        });
        let summary = RunSummary {
            summary_version: SUMMARY_VERSION,
            producer: &manifest.producer,
            checkpoint_version: &manifest.checkpoint_version,
            started: &session.started,
            finished: &session.finished,
            model: &manifest.model,
            identity: &manifest.identity,
            inputs: self.input_names(),
            input_maybe_truncated: manifest.input_maybe_truncated,
            publishing: &manifest.publishing,
            warnings: &manifest.warnings,
            accounting: &totals.accounting,
            frames: Frames {
                total: counts.rows,
                scored: counts.rows.saturating_sub(counts.rows_failed),
                failed: counts.rows_failed,
            },
            records_with_duplicate_id: counts.records_with_duplicate_id,
            dna_only,
            contigs,
            rows: Value::Object(rows.collect()),
        };
        let text = serde_json::to_string_pretty(&summary).map_err(std::io::Error::other)?;
        publish::text(&directory.result(names::SUMMARY), &(text + "\n"))?;
        Ok(())
    }
}
