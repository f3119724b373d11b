//! What the command was told.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use vnp_train::{
    Augmentation, Course, EncoderSize, HeadRecipe, JointRecipe, Keep, Optimizer, Sampling, Schedule,
};

/// All that the bundle depends on beside the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    /// What groups are put into folds by.
    pub(crate) seed: u64,
    pub(crate) folds: usize,
    /// Length of the chunks that the bundle is for, in bp.
    pub(crate) chunk_length: u32,
    /// Chunks of a group that are measured with, at most; and that the epoch is chosen by.
    pub(crate) test_chunks: usize,
    pub(crate) validation_chunks: usize,
    pub(crate) joint: JointRecipe,
    /// The head over the nucleotide embedding alone.
    pub(crate) fallback: HeadRecipe,
    /// Chunks without an open frame, of a group, that it learns from, at most.
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
    /// Those of the training that the bundle is from: it goes to its last epoch, since the folds show
    /// how long that should be, and its few validation groups do not.
    pub(crate) fn of_final(&self) -> Self {
        let mut settings = self.clone();
        settings.joint.keep = Keep::Last;
        settings
    }
}

/// The command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) data: PathBuf,
    pub(crate) examples: PathBuf,
    /// Where the trainings save their states, and are continued from.
    pub(crate) work: PathBuf,
    pub(crate) out: PathBuf,
    /// Only measures, and leaves the bundle as it is.
    pub(crate) measure_only: bool,
    /// Trainings at a time.
    pub(crate) jobs: usize,
    changes: Vec<(String, Value)>,
}

impl Arguments {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let shared = root.join("../shared");
        let mut found = Self {
            data: shared.join("data"),
            examples: shared.join("examples/mixed.fa"),
            work: root.join("target/train-mini"),
            out: root.join("crates/vnp-infer/models/mini"),
            measure_only: false,
            jobs: std::thread::available_parallelism().map_or(1, usize::from),
            changes: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            if flag == "--measure-only" {
                found.measure_only = true;
                continue;
            }
            let value = args.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--data" => found.data = value.into(),
                "--examples" => found.examples = value.into(),
                "--work" => found.work = value.into(),
                "--out" => found.out = value.into(),
                "--jobs" => found.jobs = value.parse().context("--jobs wants a number")?,
                "--set" => found.changes.push(change(value)?),
                _ => bail!(
                    "unknown argument {flag}: give --data, --examples, --work, --out, --jobs, \
                     --measure-only or --set"
                ),
            }
        }
        Ok(found)
    }

    pub(crate) fn settings(&self) -> Result<Settings> {
        let mut settings = serde_json::to_value(Settings::default())?;
        for (name, value) in &self.changes {
            let pointer = format!("/{}", name.replace('.', "/"));
            let place = settings.pointer_mut(&pointer);
            *place.with_context(|| format!("there is no setting {name}"))? = value.clone();
        }
        Ok(serde_json::from_value(settings)?)
    }
}

/// `NAME=VALUE`, the value in JSON.
fn change(text: &str) -> Result<(String, Value)> {
    let (name, value) = text.split_once('=').context("--set wants NAME=VALUE")?;
    Ok((name.to_owned(), serde_json::from_str(value)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(args: &[&str]) -> Result<Settings> {
        let args: Vec<_> = args.iter().map(|arg| (*arg).to_owned()).collect();
        Arguments::parse(&args)?.settings()
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
