//! Embeds prepared chunks with an ordinary run of the pipeline.

use std::path::Path;
use std::time::Duration;

use serde_json::{Map, Value, json};
use vnp_infer::{Bundle, Model};
use vnp_pipeline::{Event, Goal, Input, ModelInfo, RunOptions, Start, StopFlag};
use vnp_seq::ChunkLength;
use vnp_train::Error;

use crate::args::TrainArgs;
use crate::logging::Console;
use crate::progress::Progress;

/// Embeds the records of a FASTA file by a run in `output`, begun or continued.
pub(super) fn embed(
    args: &TrainArgs,
    console: &Console,
    bundle: &Bundle,
    chunks: &Path,
    output: &Path,
    stop: &StopFlag,
) -> Result<(), Error> {
    let length = args.expected_length.unwrap_or(bundle.expected_length());
    let device = &args.device;
    let inputs = vec![Input::File(chunks.to_owned())];
    let options = RunOptions {
        goal: Goal::Embeddings,
        start: Start::Resume,
        on_bad_part: args.on_bad_file(),
        checkpoint_rows: args.checkpoint_rows,
        checkpoint_interval: Duration::from_secs(args.checkpoint_seconds),
        settings: settings(args),
        ..RunOptions::new(inputs, output.to_owned(), ChunkLength::new(length)?)
    };
    let info = ModelInfo::of(bundle, device.precision);
    let load = Box::new(|| Model::load_all(bundle, &device.model_options()));
    let progress = Progress::new(console);
    let observer = |event: Event<'_>| progress.event(event);
    match vnp_pipeline::predict(options, &info, load, &observer, stop) {
        Ok(_) => Ok(()),
        Err(error) => Err(match error.interrupted() {
            Some(interrupted) => interrupted.into(),
            None => Error::Embedding(Box::new(error)),
        }),
    }
}

/// What was asked for, for `run.json`.
fn settings(args: &TrainArgs) -> Map<String, Value> {
    let settings = json!({
        "model": args.model,
        "device": args.device.device.to_string(),
        "precision": args.device.precision.to_string(),
        "threads": rayon::current_num_threads(),
        "checkpoint_rows": args.checkpoint_rows,
        "checkpoint_seconds": args.checkpoint_seconds,
    });
    match settings {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}
