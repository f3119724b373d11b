//! `vnp reads`: turns its arguments into a table of reads, and logs what was counted.

use std::path::Path;

use anyhow::{Context, bail};
use vnp_calls::{AlignmentFormat, ReadsOptions, ReadsSummary};
use vnp_escape::{escaped_path, shown};
use vnp_job::StopFlag;

use super::stdin;
use crate::args::reads::ReadsArgs;
use crate::exit::Exit;
use crate::output::{counted, grouped};
use crate::paths::standard_output;

/// The ends of names of files that are not plain text.
const REFUSED: [&str; 9] = ["bgz", "bgzf", "bz2", "gz", "parquet", "pq", "xz", "zst", "zstd"];

/// `vnp reads`: exit 1 if anything is wrong with a row; then nothing is written.
pub(crate) fn run(args: &ReadsArgs, stop: &StopFlag) -> anyhow::Result<Exit> {
    for path in std::iter::once(&args.output).chain(&args.keep_ids) {
        refuse_other_formats(path)?;
    }
    let (option, path) = args.alignments.given().context("give --paf or --bam")?;
    let format = if option == "--paf" { AlignmentFormat::Paf } else { AlignmentFormat::Bam };
    let inputs = stdin::inputs(std::slice::from_ref(path))?;
    let alignments = inputs.into_iter().next().context("give --paf or --bam")?;
    let options = ReadsOptions {
        min_mapq: args.min_mapq,
        min_identity_percent: args.min_identity,
        min_query_cov_percent: args.min_query_cov,
        pattern: args.group_pattern.clone(),
        collapse_mates: args.collapse_mates,
        keep: args.keep.clone().unwrap_or_default(),
    };
    let (output, keep_ids) =
        (standard_output(&args.output), args.keep_ids.as_deref().map(standard_output));
    let called = vnp_calls::call_reads(
        &args.calls,
        alignments,
        format,
        &options,
        &output,
        keep_ids.as_deref(),
        stop,
    );
    match called {
        Ok(summary) => {
            log_summary(&summary, args);
            Ok(Exit::Done)
        }
        Err(error) => match error.interrupted() {
            Some(interrupted) => {
                // Nothing was saved, so the message must not advise to continue.
                log::warn!("interrupted by {}: nothing was written", interrupted.cause());
                Ok(Exit::Interrupted(interrupted.signal))
            }
            None => Err(error.into()),
        },
    }
}

/// Tables are plain text, whatever their name; one that says otherwise is a mistake.
fn refuse_other_formats(path: &Path) -> anyhow::Result<()> {
    let end = path.extension().and_then(|end| end.to_str()).map(str::to_ascii_lowercase);
    let refused = end.and_then(|end| REFUSED.into_iter().find(|refused| *refused == end));
    match refused {
        Some("parquet" | "pq") => bail!(
            "{}: Parquet is not written yet: name a .tsv file, and convert it, for example with DuckDB",
            escaped_path(path)
        ),
        Some(end) => bail!(
            "{}: the table is written as plain text: leave .{end} out, or write to - and compress that",
            escaped_path(path)
        ),
        None => Ok(()),
    }
}

fn log_summary(summary: &ReadsSummary, args: &ReadsArgs) {
    let rows = if args.collapse_mates { "pair" } else { "read" };
    let by_call = summary.by_call.iter();
    let by_call = by_call.map(|(call, count)| format!("{} {}", grouped(*count), shown(call)));
    let by_call = by_call.collect::<Vec<_>>().join(", ");
    if summary.short_rows > 0 {
        log::warn!(
            "{} left out: fewer than 14 columns, where others end in identity and coverage",
            counted(summary.short_rows, "row")
        );
    }
    if summary.unmatched_contigs > 0 {
        log::warn!(
            "{} of the table of calls not used: its id does not match --group-pattern",
            counted(summary.unmatched_contigs, "row")
        );
    }
    if summary.unmatched_alignments > 0 {
        log::warn!(
            "{} Unclassified: the contig's id does not match --group-pattern",
            counted(summary.unmatched_alignments, "alignment")
        );
    }
    if summary.alignments == 0 {
        log::warn!("there are no alignments: the table holds only its header");
    }
    log::info!(
        "{} of {} to {} with a call{}{}; {} secondary or inverted, {} unmapped",
        counted(summary.alignments, "alignment"),
        counted(summary.reads, rows),
        counted(summary.contigs, "contig"),
        if summary.are_fractions { "; identity and coverage are fractions" } else { "" },
        if summary.is_grouped {
            ""
        } else {
            "; sorted on disk, because reads do not stand together"
        },
        grouped(summary.secondary),
        grouped(summary.unmapped),
    );
    if !by_call.is_empty() {
        log::info!("{}: {by_call}", counted(summary.reads, rows));
    }
    log::info!("written: {}", escaped_path(&args.output));
    if let Some(path) = &args.keep_ids {
        log::info!("{} to keep: {}", counted(summary.kept, rows), escaped_path(path));
    }
}
