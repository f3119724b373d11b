//! `vnp train`: turns its arguments into a training, and logs what was published.

mod data;
mod embed;
mod recipe;

use std::path::Path;
use std::time::Duration;

use anyhow::Context;
use vnp_escape::escaped_path;
use vnp_infer::Bundle;
use vnp_job::{Start, StopFlag};
use vnp_seq::ChunkLength;
use vnp_train::{
    Data, Evaluation, HeadTraining, JointTraining, Method, Preparation, Published, Reading, Shares,
    TrainOptions,
};

use super::bundles;
use super::threads::use_threads;
use crate::args::{EncodersFrom, TrainArgs};
use crate::exit::Exit;
use crate::logging::Console;
use crate::progress::TrainingProgress;
use data::Inputs;

/// The chunk length of encoders from scratch, unless another is asked for.
const DEFAULT_LENGTH: u32 = 500;

/// `vnp train`
pub(crate) fn run(args: &TrainArgs, console: &Console, stop: &StopFlag) -> anyhow::Result<Exit> {
    use_threads(args.device.threads)?;
    let bundle = bundles::find(&args.model)?;
    let inputs = Inputs::of(args)?;
    let method = method(args, inputs, &bundle)?;
    let options = TrainOptions {
        output_dir: args.output_dir.clone(),
        start: match (args.force, args.resume || args.force_resume) {
            (true, _) => Start::Again,
            (false, true) => Start::Resume,
            (false, false) => Start::New,
        },
        on_bad_state: args.on_bad_file(),
        checkpoint_interval: Duration::from_secs(args.checkpoint_seconds),
        name: bundle_name(args),
        model: args.model.clone(),
    };
    let embed =
        |chunks: &Path, output: &Path| embed::embed(args, console, &bundle, chunks, output, stop);
    let progress = TrainingProgress::new(console);
    let observer = |event: vnp_train::Event<'_>| progress.event(event);
    let published = vnp_train::train(&method, &options, &embed, &observer, stop)?;
    drop(progress);
    log_published(&published);
    Ok(Exit::Done)
}

/// What is to be trained, and from what.
fn method<'a>(args: &TrainArgs, inputs: Inputs, bundle: &'a Bundle) -> anyhow::Result<Method<'a>> {
    let shares = Shares { validation: args.validation_share, test: args.test_share };
    let origin = (args.encoders != Some(EncodersFrom::Scratch)).then_some(bundle);
    let default = origin.map_or(DEFAULT_LENGTH, Bundle::expected_length);
    let chunk_length = args.expected_length.unwrap_or(default);
    let preparation = |inputs| {
        Ok::<_, anyhow::Error>(Preparation {
            inputs,
            labels: args.labels.clone(),
            groups: args.groups.clone(),
            coding_filter: !args.no_cds_filter,
            chunk_length: ChunkLength::new(chunk_length).context("--expected-length")?,
            hosts_per_virus: args.hosts_per_virus,
            shares,
            seed: args.seed,
        })
    };
    let data = match (args.encoders, inputs) {
        (Some(_), Inputs::Records(inputs)) => {
            let recipe = recipe::joint(args, chunk_length)?;
            let records = preparation(inputs)?;
            return Ok(Method::Encoders(JointTraining { origin, recipe, records }));
        }
        (Some(_), Inputs::Embeddings(_)) => {
            anyhow::bail!("--encoders learns from records: give FASTA, FASTQ or GenBank files")
        }
        (None, Inputs::Records(inputs)) => Data::Records(preparation(inputs)?),
        (None, Inputs::Embeddings(inputs)) => Data::Embeddings(Reading {
            inputs,
            chunk_length,
            groups: args.groups.clone(),
            shares,
            hosts_per_virus: args.hosts_per_virus,
            seed: args.seed,
        }),
    };
    Ok(Method::Head(HeadTraining {
        model: bundle,
        recipe: recipe::head(args),
        data,
        device: args.device.device.to_string(),
        precision: args.device.precision.to_string(),
    }))
}

/// The name asked for, or that of the output directory.
fn bundle_name(args: &TrainArgs) -> String {
    match (&args.name, args.output_dir.file_name()) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => name.to_string_lossy().into_owned(),
        (None, None) => "trained".to_owned(),
    }
}

/// Logs the main metrics, and where the bundle is.
fn log_published(published: &Published) {
    let Published { bundle, path, evaluations, epochs, epoch } = published;
    let metric = |value: Option<f64>| value.map_or("NA".to_owned(), |value| format!("{value:.3}"));
    for Evaluation { split, chunks, .. } in evaluations {
        log::info!(
            "{split}, by chunks: AUROC {}, balanced accuracy {}, precision {}, recall {}",
            metric(chunks.auroc),
            metric(chunks.balanced_accuracy),
            metric(chunks.precision),
            metric(chunks.recall)
        );
    }
    log::info!("of {epochs} epochs, number {} was kept", epoch + 1);
    log::info!(
        "bundle {} for chunks of {} bp is in {}; metrics are next to it",
        bundle.name(),
        bundle.expected_length(),
        escaped_path(path)
    );
}
