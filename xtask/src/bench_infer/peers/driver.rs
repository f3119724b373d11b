//! One Python process that holds the engines and runs one when told to.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde_json::json;

use super::super::engine::Engine;
use super::super::work::{Run, Work};
use super::{Peers, Start};

/// What the Python does.
const SCRIPT: &str = include_str!("driver.py");

/// Engines loaded and warm.
pub(crate) struct Driver {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    tokens: u64,
}

#[derive(Deserialize)]
struct Loaded {
    #[serde(default)]
    padding: f64,
    #[serde(default)]
    seconds: f64,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Times {
    wall: f64,
    cpu: f64,
}

impl Driver {
    /// Starts a process on so many threads. Gives the engines that could be loaded, and a line
    /// about each.
    pub(crate) fn start(start: &Start<'_>, work: &Work, wanted: &[Engine]) -> Result<Self> {
        let script = start.cache.join("driver.py");
        fs_err::write(&script, SCRIPT)?;
        let mut child = command(start.python, start.threads, &start.log)?
            .arg(&script)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| start.python.display().to_string())?;
        let mut input = child.stdin.take().context("the input of Python")?;
        let output = BufReader::new(child.stdout.take().context("the output of Python")?).lines();
        let size = start.shape.size();
        let job = json!({
            "layers": size.layers, "hidden": size.hidden, "heads": size.heads, "inner": size.inner,
            "vocabulary": size.vocabulary, "threads": start.threads, "cache": start.cache,
            "engines": wanted.iter().map(|engine| engine.name).collect::<Vec<_>>(),
            "sequences": work.sequences, "lengths": work.lengths,
        });
        writeln!(input, "{job}")?;
        Ok(Self { child, input, output, tokens: work.cost.tokens })
    }
}
