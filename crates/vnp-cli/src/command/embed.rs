//! `vnp embed`: turns its arguments into a run that embeds records, and logs what was published.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, bail};
use vnp_escape::escaped_path;
use vnp_infer::EncoderFiles;
use vnp_job::StopFlag;
use vnp_pipeline::embed::{
    self, EmbedEvent, EmbedOptions, EmbedSummary, EncoderInfo, RecordReading, UnknownResidues,
};
use vnp_pipeline::{OnBadFile, Start};

use super::threads::use_threads;
use super::{bundles, stdin};
use crate::args::embed::{EmbedArgs, EncoderName, UnknownResiduesName};
use crate::exit::Exit;
use crate::logging::Console;
use crate::output::{counted, grouped};
use crate::progress::EmbeddingProgress;

/// `vnp embed`: exit 2 if some records could not be embedded.
pub(crate) fn run(args: &EmbedArgs, console: &Console, stop: &StopFlag) -> anyhow::Result<Exit> {
    use_threads(args.device.threads)?;
    let input = stdin::inputs(std::slice::from_ref(&args.input))?;
    let input = input.into_iter().next().context("an input is missing")?;
    let options = EmbedOptions {
        output: args.output.clone(),
        reading: reading(args)?,
        start: match (args.force, args.resume || args.force_resume) {
            (true, _) => Start::Again,
            (false, true) => Start::Resume,
            (false, false) => Start::New,
        },
        on_bad_part: if args.force_resume { OnBadFile::Recompute } else { OnBadFile::Refuse },
        checkpoint_rows: args.checkpoint_rows,
        checkpoint_interval: Duration::from_secs(args.checkpoint_seconds),
    };
    // First: what can be refused is refused before weights of gigabytes are read.
    embed::check(&input, &options)?;
    let files = files(args)?;
    let info = EncoderInfo {
        name: name(args.encoder).to_owned(),
        digest: files.digest()?,
        hidden_size: files.hidden_size(),
        precision: args.device.precision.to_string(),
    };
    let model_options = args.device.model_options();
    let load = Box::new(move || files.load(&model_options));
    let progress = EmbeddingProgress::new(console);
    let observer = |event: EmbedEvent<'_>| progress.event(event);
    let summary = embed::embed(input, options, &info, load, &observer, stop)?;
    drop(progress);
    log_summary(&summary, &args.output);
    Ok(if summary.failed.count > 0 { Exit::Partial } else { Exit::Done })
}

fn reading(args: &EmbedArgs) -> anyhow::Result<RecordReading> {
    Ok(match (args.encoder, args.unknown_residues) {
        (EncoderName::Esm2, Some(UnknownResiduesName::Mask)) => {
            RecordReading::Proteins(UnknownResidues::Mask)
        }
        (EncoderName::Esm2, _) => RecordReading::Proteins(UnknownResidues::Refuse),
        (EncoderName::DnabertS, None) => RecordReading::Nucleotides,
        (EncoderName::DnabertS, Some(_)) => {
            bail!("--unknown-residues is for proteins: leave it out with --encoder dnabert-s")
        }
    })
}

/// The encoder of a bundle, or one with its own files.
fn files(args: &EmbedArgs) -> anyhow::Result<EncoderFiles> {
    let path = Path::new(&args.weights);
    // As in predict, the name of the built-in model does not mean a directory of that name.
    let own_files = args.weights != vnp_infer::EMBEDDED_NAME
        && path.exists()
        && !path.join("bundle.json").is_file();
    Ok(match (args.encoder, own_files) {
        (EncoderName::Esm2, true) => EncoderFiles::esm2(path)?,
        (EncoderName::DnabertS, true) => EncoderFiles::dnabert(path)?,
        (EncoderName::Esm2, false) => EncoderFiles::esm2_of(&bundles::find(&args.weights)?),
        (EncoderName::DnabertS, false) => EncoderFiles::dnabert_of(&bundles::find(&args.weights)?),
    })
}

fn name(encoder: EncoderName) -> &'static str {
    match encoder {
        EncoderName::Esm2 => "esm2",
        EncoderName::DnabertS => "dnabert-s",
    }
}

fn log_summary(summary: &EmbedSummary, output: &Path) {
    let EmbedSummary { rows, failed, rows_computed_now, already_finished } = summary;
    for (id, reason) in &failed.first {
        log::warn!("record \"{id}\" was not embedded: {reason}");
    }
    let unnamed = failed.count.saturating_sub(failed.first.len() as u64);
    if unnamed > 0 {
        log::warn!("{} were not embedded", counted(unnamed, "more record"));
    }
    if *already_finished {
        log::info!("{} is finished and intact: nothing was done", escaped_path(output));
        return;
    }
    let embedded = rows.saturating_sub(failed.count);
    let earlier = rows.saturating_sub(*rows_computed_now);
    log::info!(
        "{} of {} embedded, {} rows in an earlier session: {}",
        grouped(embedded),
        counted(*rows, "record"),
        grouped(earlier),
        escaped_path(output)
    );
    if failed.count > 0 {
        log::warn!(
            "{} failed: status 1 and a vector of zeros in the output",
            counted(failed.count, "row")
        );
    }
}
