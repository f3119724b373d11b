//! `vnp predict`: finds viral sequences.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use vnp_escape::escaped_path;
use vnp_job::StopFlag;
use vnp_pipeline::{
    Counts, DnaOnlyCounts, Event, Goal, ModelInfo, OnBadFile, RunOptions, Start, Summary, Trust,
};
use vnp_seq::ChunkLength;

use super::model_source::ModelSource;
use super::stdin;
use super::threads::use_threads;
use crate::args::predict::PredictArgs;
use crate::exit::Exit;
use crate::logging::Console;
use crate::output::{counted, grouped};
use crate::progress::Progress;

/// `vnp predict`
pub(crate) fn run(args: &PredictArgs, console: &Console, stop: &StopFlag) -> anyhow::Result<Exit> {
    for (flag, reason) in args.pytorch.without_effect() {
        log::warn!("{flag} has no effect: {reason}");
    }
    use_threads(args.device.threads)?;
    let inputs = stdin::inputs(&args.input)?;
    let source = ModelSource::of(args)?;
    let (chunk_length, warnings) = chunk_length(args, &source)?;
    let output_dir = args.output_dir.clone().unwrap_or_else(|| default_output_dir(&args.input));
    let devices = args.devices();
    let model_options = args.device.model_options();
    let options = RunOptions {
        inputs,
        output_dir: output_dir.clone(),
        goal: Goal::Scores,
        chunk_length,
        start: match (args.force, args.resume || args.force_resume) {
            (true, _) => Start::Again,
            (false, true) => Start::Resume,
            (false, false) => Start::New,
        },
        on_bad_part: if args.force_resume { OnBadFile::Recompute } else { OnBadFile::Refuse },
        trust: if args.skip_checkpoint_validation { Trust::Cheap } else { Trust::Full },
        resume_from: args.resume_from.clone(),
        checkpoint_rows: args.checkpoint_rows,
        checkpoint_interval: Duration::from_secs(args.checkpoint_seconds),
        score_batch_rows: args.batch_size,
        score_all: args.score_all,
        strict_input: args.strict_input,
        duplicate_ids: args.duplicate_ids.into(),
        keep_embeddings: args.keep_embeddings,
        publishing: args.tables.publishing(),
        settings: args.settings()?,
    };
    let info = ModelInfo { warnings, ..source.info(args.device.precision) };
    log::info!("model {}: {}", info.name, info.description);
    let progress = Progress::new(console);
    let load = Box::new(move || source.load(&devices, &model_options));
    let observer = |event: Event<'_>| progress.event(event);
    let summary = vnp_pipeline::predict(options, &info, load, &observer, stop)?;
    log_summary(&summary);
    log::info!("results are in {}", escaped_path(&output_dir));
    let failed = summary.counts.records_failed.saturating_add(summary.counts.rows_failed);
    Ok(if failed > 0 { Exit::Partial } else { Exit::Done })
}

pub(super) fn default_output_dir(inputs: &[PathBuf]) -> PathBuf {
    let stem = inputs.first().map(|input| stdin::stem(input)).unwrap_or_default();
    PathBuf::from(format!("{stem}_predictions"))
}

/// The chunk length, and what a reader of the results should know about it.
fn chunk_length(
    args: &PredictArgs,
    source: &ModelSource,
) -> anyhow::Result<(ChunkLength, Vec<String>)> {
    let length = args.expected_length.unwrap_or(source.default_length());
    let warnings: Vec<String> = source.warning(length).into_iter().collect();
    for warning in &warnings {
        log::warn!("{warning}");
    }
    Ok((ChunkLength::new(length).context("--expected-length")?, warnings))
}

/// Logs the summary, and how many records got no score for which reason.
fn log_summary(summary: &Summary) {
    let Counts { records, records_viral, chunks, chunks_scored, .. } = summary.counts;
    let rows = summary.counts.rows.saturating_sub(summary.counts.rows_failed);
    if summary.already_finished {
        log::info!("the run was finished before and its results are intact: nothing was done");
    } else {
        let reused = rows.saturating_sub(summary.rows_scored_now);
        log::info!(
            "{} scored, {} of them in an earlier session",
            counted(rows, "ORF"),
            grouped(reused)
        );
    }
    log::info!("{} of {} records are viral", grouped(records_viral), grouped(records));
    log::info!(
        "{} of {} chunks have an ORF and were scored",
        grouped(chunks_scored),
        grouped(chunks)
    );
    let dna_only = summary.counts.dna_only.clone().unwrap_or_default();
    if summary.counts.dna_only.is_some() {
        log_nucleotide_only(&dna_only, summary);
    }
    let no_open_frame =
        summary.counts.records_no_open_frame.saturating_sub(dna_only.records_scored);
    let unscored = [
        (no_open_frame, "have no ORF (stop-free reading frame)"),
        (summary.counts.records_too_short, "are shorter than one codon"),
        (summary.counts.records_empty, "are empty"),
    ];
    for (count, what) in unscored.into_iter().filter(|(count, _)| *count > 0) {
        log::info!("{} of {} records {what} and got no score", grouped(count), grouped(records));
    }
    if summary.counts.records_failed > 0 {
        log::warn!(
            "{} failed: see checkpoints/failed_files.txt",
            counted(summary.counts.records_failed, "record")
        );
    }
}

/// Logs what was scored by nucleotides alone.
fn log_nucleotide_only(dna_only: &DnaOnlyCounts, summary: &Summary) {
    let scored = dna_only.rows.saturating_sub(dna_only.rows_failed);
    log::info!(
        "{} without an ORF scored by nucleotides alone, {} of them in an earlier session",
        counted(scored, "chunk"),
        grouped(scored.saturating_sub(summary.orfless_chunks_scored_now)),
    );
    if dna_only.records_scored > 0 {
        log::info!(
            "{} without an ORF scored by nucleotides alone (evidence dna_only), {} of them viral",
            counted(dna_only.records_scored, "record"),
            grouped(dna_only.records_viral),
        );
    }
}
