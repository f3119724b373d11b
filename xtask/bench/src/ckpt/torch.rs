//! Files of the Python tools, beside torch.

use std::io::{BufRead, BufReader, Lines, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use vnp_ckpt::{Limits, load_with_compatibility};

use super::ROWS;
use super::pairs::{Report, timed};

/// What the Python does.
const SCRIPT: &str = include_str!("torch.py");

/// The files, each with the target for our time over torch's.
const FILES: [(&str, &str, f64); 3] = [
    ("merged", "merged .pt, CRC compared", 0.5),
    ("dnabert", "DNABERT_S .pt, 10,000 float lists", 0.1),
    ("esm", "ESM .pt, 10,000 tensors", 0.2),
];

/// Makes the files and times loads of each.
pub(crate) fn run(dir: &Path, python: &Path, report: &mut Report) -> Result<()> {
    let mut torch = Torch::start(dir, python)?;
    report.title(&format!(".pt files, torch {}", torch.version))?;
    for (stem, name, target) in FILES {
        let path = dir.join(stem).with_extension("pt");
        report.pair(
            (name, Some(target)),
            || timed(|| Ok(load_with_compatibility(&path, &Limits::default())?)),
            "torch.load(weights_only=False)",
            || torch.load(&path),
        )?;
    }
    torch.stop()
}

/// A Python that loads what it is told to.
struct Torch {
    child: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    version: String,
}

impl Torch {
    fn start(dir: &Path, python: &Path) -> Result<Self> {
        let mut child = Command::new(python)
            .args(["-c", SCRIPT, &ROWS.to_string()])
            .arg(dir)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| python.display().to_string())?;
        let input = child.stdin.take().context("the input of Python")?;
        let output = BufReader::new(child.stdout.take().context("the output of Python")?).lines();
        let mut torch = Self { child, input, output, version: String::new() };
        let ready = torch.line()?;
        ready.strip_prefix("ready ").context("Python is not ready")?.clone_into(&mut torch.version);
        Ok(torch)
    }

    fn load(&mut self, path: &Path) -> Result<Duration> {
        writeln!(self.input, "{}", path.display())?;
        Ok(Duration::from_secs_f64(self.line()?.parse()?))
    }

    fn line(&mut self) -> Result<String> {
        match self.output.next() {
            Some(line) => Ok(line?),
            None => bail!("Python ended early, with {}", self.child.wait()?),
        }
    }

    fn stop(mut self) -> Result<()> {
        drop(self.input);
        self.child.wait()?;
        Ok(())
    }
}
