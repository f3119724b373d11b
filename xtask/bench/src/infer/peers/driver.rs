//! One Python process that holds the engines and runs one when told to.

use std::io::{BufRead, BufReader, Lines, Write};
use std::process::{Child, ChildStdin, ChildStdout, Stdio};

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::json;

use super::{Peers, Start};
use crate::bench_infer::clock::Time;
use crate::bench_infer::engine::Engine;
use crate::bench_infer::work::{Run, Work};

/// What the Python does.
const SCRIPT: &str = include_str!("driver.py");

/// Engines that are loaded and warm.
pub(crate) struct Driver {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
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
    pub(crate) fn start(start: &Start<'_>, work: &Work, wanted: &[Engine]) -> Result<Self> {
        let script = start.cache.join("driver.py");
        fs_err::write(&script, SCRIPT)?;
        let mut child = start
            .command(&script)?
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| start.python.display().to_string())?;
        let input = child.stdin.take().context("the input of Python")?;
        let output = BufReader::new(child.stdout.take().context("the output of Python")?).lines();
        let mut driver = Self { child, input, output, tokens: work.tokens, engines: Vec::new() };
        let size = start.shape.size();
        let job = json!({
            "layers": size.layers, "hidden": size.hidden, "heads": size.heads, "inner": size.inner,
            "vocabulary": size.vocabulary, "threads": start.threads, "cache": start.cache,
            "engines": wanted.iter().map(|engine| engine.name).collect::<Vec<_>>(),
            "sequences": work.sequences, "lengths": work.lengths,
        });
        writeln!(driver.input, "{job}")?;
        let mut out = std::io::stdout();
        for engine in wanted {
            let name = engine.name;
            let Loaded { padding, seconds, error } =
                driver.answer().with_context(|| start.log())?;
            if let Some(error) = error {
                writeln!(out, "{name} is left out: {error}")?;
                continue;
            }
            let padding = 100.0 * padding;
            writeln!(out, "{name}: loaded and warm after {seconds:.1} s, {padding:.1} % padding")?;
            driver.engines.push(*engine);
        }
        Ok(driver)
    }

    fn answer<T: DeserializeOwned>(&mut self) -> Result<T> {
        match self.output.next() {
            Some(line) => Ok(serde_json::from_str(&line?)?),
            None => bail!("Python ended early, with {}", self.child.wait()?),
        }
    }
}

impl Peers for Driver {
    fn engines(&self) -> &[Engine] {
        &self.engines
    }

    fn run(&mut self, engine: Engine) -> Result<Run> {
        writeln!(self.input, "{}", engine.name)?;
        let Times { wall, cpu } = self.answer().context(engine.name)?;
        Ok(Run { tokens: self.tokens, time: Time { wall, cpu: Some(cpu) } })
    }

    fn stop(mut self: Box<Self>) -> Result<()> {
        drop(self.input);
        self.child.wait()?;
        Ok(())
    }
}
