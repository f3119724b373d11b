//! What the command was told.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::encoders::Design;
use super::head;

/// All that the bundle depends on beside the data.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Settings {
    pub(crate) seed: u64,
    /// Length of the chunks that the bundle is for, in bp.
    pub(crate) chunk_length: u32,
    /// Lengths of further chunks to train on.
    pub(crate) extra_lengths: Vec<u32>,
    /// How many times viral records are cut for training, each time from a later base.
    pub(crate) viral_cuts: usize,
    /// Host chunks in a part, as a multiple of the viral ones.
    pub(crate) hosts_per_virus: f64,
    pub(crate) design: Design,
    pub(crate) head: head::Settings,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            seed: 2,
            chunk_length: 500,
            extra_lengths: vec![300],
            viral_cuts: 3,
            hosts_per_virus: 5.0,
            design: Design::default(),
            head: head::Settings {
                units: 256,
                batch: 512,
                epochs: 60,
                patience: 12,
                learning_rate: 1e-3,
                weight_decay: 1e-2,
                dropout: 0.5,
            },
        }
    }
}

/// The command line.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) data: PathBuf,
    pub(crate) examples: PathBuf,
    pub(crate) out: PathBuf,
    changes: Vec<(String, Value)>,
}

impl Arguments {
    pub(crate) fn parse(args: &[String]) -> Result<Self> {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
        let shared = root.join("../shared");
        let mut found = Self {
            data: shared.join("data"),
            examples: shared.join("examples/mixed.fa"),
            out: root.join("crates/vnp-infer/models/mini"),
            changes: Vec::new(),
        };
        let mut args = args.iter();
        while let Some(flag) = args.next() {
            let value = args.next().with_context(|| format!("{flag} wants a value"))?;
            match flag.as_str() {
                "--data" => found.data = value.into(),
                "--examples" => found.examples = value.into(),
                "--out" => found.out = value.into(),
                "--set" => found.changes.push(change(value)?),
                _ => bail!("unknown argument {flag}: give --data, --examples, --out or --set"),
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
        let found = settings(&["--set", "head.units=7", "--set", "extra_lengths=[300]"]).unwrap();
        assert_eq!((found.head.units, found.extra_lengths), (7, vec![300]));
    }

    #[test]
    fn wrong_arguments_are_refused_by_name() {
        for args in [&["--set", "head.unit=7"][..], &["--dta", "x"], &["--data"], &["--set", "x"]] {
            assert!(settings(args).is_err(), "{args:?}");
        }
    }
}
