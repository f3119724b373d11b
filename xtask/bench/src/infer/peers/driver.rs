//! One Python process that holds the engines and runs the one that it reads the name of.

use std::io::Write;

use anyhow::{Context, Result};
use serde::Deserialize;
use serde_json::json;

use super::engines::Peers;
use super::job::Job;
use crate::clock::Time;
use crate::infer::engine::Engine;
use crate::infer::work::{Run, Work};
use crate::python::Python;

/// The program of the process.
const SCRIPT: &str = include_str!("driver.py");

/// Engines that are loaded and warm.
pub(super) struct Driver {
    python: Python,
    tokens: u64,
    engines: Vec<Engine>,
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
    /// Starts the process and loads the wanted engines; one that cannot be loaded is left out.
    pub(super) fn start(job: &Job<'_>, work: &Work, wanted: &[Engine]) -> Result<Self> {
        let script = job.cache.join("driver.py");
        fs_err::write(&script, SCRIPT)?;
        let mut python = Python::start(&mut job.command(&script)?)?;
        let size = job.shape.size();
        python.send(json!({
            "layers": size.layers, "hidden": size.hidden, "heads": size.heads, "inner": size.inner,
            "vocabulary": size.vocabulary, "threads": job.threads, "cache": job.cache,
            "engines": wanted.iter().map(|engine| engine.name).collect::<Vec<_>>(),
            "sequences": work.sequences, "lengths": work.lengths,
        }))?;
        let mut engines = Vec::new();
        let mut out = std::io::stdout();
        for engine in wanted {
            let name = engine.name;
            let answer = python.receive().with_context(|| job.log())?;
            let Loaded { padding, seconds, error } = serde_json::from_str(&answer)?;
            if let Some(error) = error {
                writeln!(out, "{name} is left out: {error}")?;
                continue;
            }
            let padding = 100.0 * padding;
            writeln!(out, "{name}: loaded and warm after {seconds:.1} s, {padding:.1} % padding")?;
            engines.push(*engine);
        }
        Ok(Self { python, tokens: work.tokens, engines })
    }
}

impl Peers for Driver {
    fn engines(&self) -> &[Engine] {
        &self.engines
    }

    fn run(&mut self, engine: Engine) -> Result<Run> {
        self.python.send(engine.name)?;
        let answer = self.python.receive().context(engine.name)?;
        let Times { wall, cpu } = serde_json::from_str(&answer)?;
        Ok(Run { tokens: self.tokens, time: Time { wall, cpu: Some(cpu) } })
    }

    fn stop(self: Box<Self>) -> Result<()> {
        self.python.stop()
    }
}
