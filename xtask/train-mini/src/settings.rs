//! The command line of `train-mini`, and the settings that the bundle depends on.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Parser;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vnp_train::{
    Augmentation, Course, EncoderSize, HeadRecipe, JointRecipe, Keep, Optimizer, Sampling, Schedule,
};

/// Everything that the bundle depends on apart from the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// Seed of the assignment of groups to folds.
    pub(crate) seed: u64,
    pub(crate) folds: usize,
    /// Length of the chunks that the bundle is for, in bp.
    pub(crate) chunk_length: u32,
    /// At most this many chunks of a group are used to measure, and to choose the epoch.
    pub(crate) test_chunks: usize,
    pub(crate) validation_chunks: usize,
    pub(crate) joint: JointRecipe,
    /// The head over the nucleotide embedding alone.
    pub(crate) fallback: HeadRecipe,
    /// It learns from at most this many chunks without an ORF of a group.
    pub(crate) fallback_chunks: usize,
}

impl Default for Settings {
    fn default() -> Self {
        let joint = JointRecipe::default();
        Self {
            seed: 3,
            folds: 5,
            chunk_length: 500,
            test_chunks: 200,
            validation_chunks: 40,
            joint: JointRecipe {
                dnabert: EncoderSize { hidden: 96, layers: 1, heads: 4, inner: 192 },
                esm2: EncoderSize { hidden: 32, layers: 1, heads: 2, inner: 64 },
                steps: 190,
                schedule: Schedule { average: Some(0.998), ..joint.schedule },
                augmentation: Augmentation { recode: 0.2, ..Augmentation::default() },
                ..joint
            },
            fallback: HeadRecipe {
                units: 64,
                dropout: 0.3,
                batch: 256,
                schedule: Schedule {
                    optimizer: Optimizer::adam_w(0.02),
                    rate: 1e-3,
                    course: Course::Cosine { warm_up: 0.5, floor: 0.0 },
                    epochs: 20,
                    patience: 20,
                    clip: None,
                    average: None,
                },
                standardise: true,
                sampling: Sampling::Balanced,
                smoothing: 0.1,
                ..HeadRecipe::default()
            },
            fallback_chunks: 200,
        }
    }
}

impl Settings {
    /// The settings of the final training, which runs to its last epoch: the folds show how long that
    /// should be, while its few validation groups do not.
    pub(crate) fn of_final(&self) -> Self {
        let mut settings = self.clone();
        settings.joint.keep = Keep::Last;
        settings
    }
}

/// Measures and trains the bundle that is compiled into vnp.
#[derive(Debug, Parser)]
pub(crate) struct Arguments {
    /// Directory with the labelled genomes
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("../shared/data"))]
    pub(crate) data: PathBuf,
    /// FASTA file whose sequences must not be learned from
    #[arg(long, value_name = "FILE", default_value_os_t = in_repository("../shared/examples/mixed.fa"))]
    pub(crate) examples: PathBuf,
    /// Directory in which trainings save their states, and from which they are resumed
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("target/train-mini"))]
    pub(crate) work: PathBuf,
    /// Directory of the bundle
    #[arg(long, value_name = "DIR", default_value_os_t = in_repository("crates/vnp-infer/models/mini"))]
    pub(crate) out: PathBuf,
    /// Measure only, and leave the bundle as it is
    #[arg(long)]
    pub(crate) measure_only: bool,
    /// Trainings at a time [default: all available cores]
    #[arg(long, value_name = "N", default_value_t = cores(), hide_default_value = true)]
    pub(crate) jobs: usize,
    /// Change a setting; VALUE is JSON
    #[arg(long = "set", value_name = "NAME=VALUE", value_parser = change)]
    changes: Vec<(String, Value)>,
}

/// A path from the root of the repository.
fn in_repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path)
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

impl Arguments {
    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut settings = serde_json::to_value(Settings::default())?;
        for (name, value) in &self.changes {
            let pointer = format!("/{}", name.replace('.', "/"));
            let setting = settings.pointer_mut(&pointer);
            *setting.with_context(|| format!("there is no setting {name}"))? = value.clone();
        }
        Ok(serde_json::from_value(settings)?)
    }
}

/// `NAME=VALUE`, the value in JSON.
fn change(text: &str) -> Result<(String, Value)> {
    let (name, value) = text.split_once('=').context("write NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: &[&str]) -> Result<Settings> {
        Arguments::try_parse_from(["train-mini"].iter().chain(args))?.settings()
    }

    #[test]
    fn settings_can_be_changed_by_name() {
        let found = settings(&["--set", "joint.units=7", "--set", "folds=2"]).unwrap();
        assert_eq!((found.joint.units, found.folds), (7, 2));
    }

    #[test]
    fn wrong_arguments_are_refused_by_name() {
        for args in [&["--set", "joint.unit=7"][..], &["--dta", "x"], &["--data"], &["--set", "x"]]
        {
            assert!(settings(args).is_err(), "{args:?}");
        }
    }
}
