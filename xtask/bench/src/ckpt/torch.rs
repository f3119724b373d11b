//! Files of the Python tools, read by us and by torch.

use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result};
use vnp_ckpt::{Limits, load_with_compatibility};

use crate::checkpoint::ROWS;
use crate::pairs::Report;
use crate::python::Python;

/// Makes the files, then loads each that it reads the path of.
const SCRIPT: &str = include_str!("torch.py");

/// The files, each with the target for our time over torch's.
const FILES: [(&str, &str, f64); 3] = [
    ("merged", "merged .pt, CRC compared", 0.5),
    ("dnabert", "DNABERT_S .pt, 10,000 float lists", 0.1),
    ("esm", "ESM .pt, 10,000 tensors", 0.2),
];

/// Makes the files and times loads of each.
pub(super) fn run(dir: &Path, python: &Path, report: &mut Report) -> Result<()> {
    let mut command = Command::new(python);
    let mut torch = Python::start(command.args(["-c", SCRIPT, &ROWS.to_string()]).arg(dir))?;
    let ready = torch.receive()?;
    let version = ready.strip_prefix("ready ").context("Python is not ready")?;
    report.title(&format!(".pt files, torch {version}"))?;
    for (stem, name, target) in FILES {
        let path = dir.join(stem).with_extension("pt");
        report.pair_with(
            (name, Some(target)),
            || Ok(load_with_compatibility(&path, &Limits::default())?),
            "torch.load(weights_only=False)",
            || {
                torch.send(path.display())?;
                Ok(torch.receive()?.parse()?)
            },
        )?;
    }
    torch.stop()
}
