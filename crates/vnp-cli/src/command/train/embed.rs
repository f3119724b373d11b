//! Embeds prepared chunks with two ordinary runs of the pipeline.

use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, json};
use vnp_infer::{Bundle, ModelOptions};
use vnp_pipeline::{Event, Goal, Input, OnBadFile, RunOptions, Start, StopFlag, Trust};
use vnp_seq::ChunkLength;
use vnp_train::{Class, Prepared};

use super::super::model_source::ModelSource;
use super::output::{Output, names};
use crate::args::TrainArgs;
use crate::logging::Console;
use crate::progress::Progress;

/// What both runs of the pipeline have in common.
pub(super) struct Embedding<'a> {
    pub(super) args: &'a TrainArgs,
    pub(super) console: &'a Console,
    pub(super) bundle: &'a Bundle,
    pub(super) chunk_length: ChunkLength,
    pub(super) stop: &'a StopFlag,
}

impl Embedding<'_> {
    /// Embeds the prepared chunks of both classes: two runs whose goal are embeddings, begun or
    /// continued. Returns their directories.
    pub(super) fn run(&self, output: &Output, prepared: &Prepared) -> anyhow::Result<[PathBuf; 2]> {
        let runs = Class::ALL.map(|class| output.path().join(names::EMBEDDINGS).join(class.name()));
        for (class, directory) in Class::ALL.into_iter().zip(&runs) {
            log::info!("embedding the chunks of the class {class}");
            self.run_one(prepared.fasta(class), directory.clone())?;
        }
        Ok(runs)
    }

    fn run_one(&self, chunks: PathBuf, output_dir: PathBuf) -> anyhow::Result<()> {
        let Self { args, console, bundle, chunk_length, stop } = *self;
        let device = &args.device;
        let options = RunOptions {
            inputs: vec![Input::File(chunks)],
            output_dir,
            goal: Goal::Embeddings,
            chunk_length,
            start: Start::Resume,
            on_bad_part: match args.force_resume {
                true => OnBadFile::Recompute,
                false => OnBadFile::Refuse,
            },
            trust: Trust::Full,
            resume_from: None,
            checkpoint_rows: args.checkpoint_rows,
            checkpoint_interval: Duration::from_secs(args.checkpoint_seconds),
            score_batch_rows: std::num::NonZeroUsize::MIN,
            keep_embeddings: true,
            keep_frames: false,
            score_all: false,
            settings: settings(args),
        };
        let model_options = ModelOptions {
            device: device.device,
            precision: device.precision,
            esm2_batch_tokens: device.esm_batch_size.into(),
            dnabert_batch_tokens: device.dnabert_batch_size.into(),
        };
        let source = ModelSource::Bundle(Box::new(bundle.clone()));
        let info = source.info(device.precision);
        let devices = [device.device];
        let load = Box::new(move || source.load(&devices, &model_options));
        let progress = Progress::new(console);
        let observer = |event: Event<'_>| progress.event(event);
        vnp_pipeline::predict(options, &info, load, &observer, stop)?;
        Ok(())
    }
}

/// What was asked for, for `run.json`.
fn settings(args: &TrainArgs) -> Map<String, serde_json::Value> {
    let settings = json!({
        "model": args.model,
        "device": args.device.device.to_string(),
        "precision": args.device.precision.to_string(),
        "threads": rayon::current_num_threads(),
        "checkpoint_rows": args.checkpoint_rows,
        "checkpoint_seconds": args.checkpoint_seconds,
    });
    match settings {
        serde_json::Value::Object(map) => map,
        _ => Map::new(),
    }
}
