//! Scripts that time engines themselves: `esm_suite.py` and `mosaic.py` of a directory, started
//! again for every run. They draw their own sequences, so that only rates can be compared.

use std::collections::HashMap;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::engines::Peers;
use super::job::Job;
use crate::clock::Time;
use crate::infer::engine::Engine;
use crate::infer::shape::Shape;
use crate::infer::work::{Run, Work};

/// The scripts of one shape.
pub(super) struct Scripts<'a> {
    job: &'a Job<'a>,
    dir: PathBuf,
    sequences: usize,
    engines: Vec<Engine>,
    /// Runs of other engines, which a script times along with the one that was asked for.
    left: HashMap<String, Run>,
}

impl<'a> Scripts<'a> {
    pub(super) fn new(job: &'a Job<'a>, dir: PathBuf, work: &Work, wanted: &[Engine]) -> Self {
        let (sequences, engines) = (work.sequences.len(), wanted.to_vec());
        Self { job, dir, sequences, engines, left: HashMap::new() }
    }

    fn command(&self, engine: Engine) -> Result<Command> {
        if self.job.shape == Shape::Dnabert {
            return self.job.command(&self.dir.join("mosaic.py"));
        }
        let (model, repetitions) = match self.job.shape {
            Shape::T6 => ("t6_8M", 1),
            Shape::T12 => ("t12_35M", 1),
            Shape::T30 => ("t30_150M", 1),
            // These the script runs without warming up: it prints the median of three.
            Shape::T33 => ("t33_650M", 3),
            _ => ("t36_3B", 3),
        };
        let mut command = self.job.command(&self.dir.join("esm_suite.py"))?;
        let numbers = [self.sequences, repetitions].map(|number| number.to_string());
        command.arg(model).args(numbers).arg(engine.name);
        Ok(command)
    }
}

impl Peers for Scripts<'_> {
    fn engines(&self) -> &[Engine] {
        &self.engines
    }

    fn run(&mut self, engine: Engine) -> Result<Run> {
        if let Some(run) = self.left.remove(engine.name) {
            return Ok(run);
        }
        let output = self.command(engine)?.output().context(engine.name)?;
        ensure!(output.status.success(), "{}: {}", output.status, self.job.log());
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let (name, run) =
                parse_run(&serde_json::from_str(line)?).with_context(|| line.to_owned())?;
            self.left.insert(name, run);
        }
        self.left.remove(engine.name).with_context(|| format!("nothing about {}", engine.name))
    }
}

/// Reads a line of output: the name of an engine, as used here, and its times.
fn parse_run(line: &Value) -> Result<(String, Run)> {
    let number = |key: &str| line.get(key).and_then(Value::as_f64).context("a number is missing");
    let text = |key: &str| line.get(key).and_then(Value::as_str);
    if let Some(error) = text("error") {
        bail!("{error}");
    }
    let name = match (text("engine"), text("dtype")) {
        (Some(engine), _) => engine.to_owned(),
        (_, Some("torch.float32")) => format!("mosaic-b{}-fp32", number("batch")?),
        (_, Some("torch.bfloat16")) => format!("mosaic-b{}-bf16", number("batch")?),
        _ => bail!("the line names no engine"),
    };
    let (wall, cpu) = (number("wall_s")?, number("cpu_s")?);
    let tokens = (number("tok_per_cpu_s")? * cpu).round() as u64;
    Ok((name, Run { tokens, time: Time { wall, cpu: Some(cpu) } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(line: &str, expected: Option<(&str, u64)>) {
        let found = parse_run(&serde_json::from_str(line).unwrap()).ok();
        let found = found.as_ref().map(|(name, run)| (name.as_str(), run.tokens));
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn both_scripts_are_understood() {
        let times = r#""cpu_s": 2.0, "wall_s": 1.0, "tok_per_cpu_s": 50.2"#;
        check(&format!(r#"{{"engine": "fair-fp32", {times}}}"#), Some(("fair-fp32", 100)));
        let dtype = r#""dtype": "torch.bfloat16", "batch": 16"#;
        check(&format!("{{{dtype}, {times}}}"), Some(("mosaic-b16-bf16", 100)));
        check(r#"{"engine": "ov-fp32", "error": "no module"}"#, None);
        check(r#"{"engine": "ov-fp32", "cpu_s": 2.0}"#, None);
    }
}
