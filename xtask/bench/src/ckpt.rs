//! How fast checkpoints are written and read, beside what this machine could do at best.
//!
//! Each of our operations is timed in turn with its limit, so that a machine that is busy, or
//! busier later, slows both. What counts are the ratios of the medians.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

pub(crate) mod contents;
mod limits;
mod native;
mod pages;
pub(crate) mod pairs;
mod torch;

use pairs::{Report, Row};

pub(crate) const USAGE: &str = "\
cargo run --release -p xtask -- bench-ckpt [--dir DIR] [--pairs N] [--python PATH]
        time checkpoints beside the limits of this machine, in DIR (by default a temporary
        directory of the current one); with the PATH of a Python that has torch, beside torch too
";

/// Rows of the checkpoint that is timed.
pub(crate) const ROWS: usize = 10_000;

/// What the command line said.
struct Options {
    dir: PathBuf,
    pairs: usize,
    python: Option<PathBuf>,
}

/// Times everything and prints the table.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let options = Options::parse(args)?;
    if cfg!(debug_assertions) {
        writeln!(std::io::stderr(), "this is a debug build: its times say nothing")?;
    }
    fs_err::create_dir_all(&options.dir)?;
    let dir = tempfile::Builder::new().prefix("bench-ckpt").tempdir_in(&options.dir)?;
    let mut report = Report::new(options.pairs);
    native::run(dir.path(), &mut report)?;
    match &options.python {
        Some(python) => torch::run(dir.path(), python, &mut report)?,
        None => writeln!(std::io::stdout(), "without --python nothing is compared with torch")?,
    }
    let met = report.rows().iter().filter(|row| row.is_met() == Some(true)).count();
    let targets = report.rows().iter().filter_map(Row::is_met).count();
    writeln!(std::io::stdout(), "{met} of {targets} targets met")?;
    Ok(())
}

impl Options {
    fn parse(args: &[String]) -> Result<Self> {
        let mut options = Self { dir: PathBuf::from("."), pairs: 21, python: None };
        let mut args = args.iter();
        while let Some(name) = args.next() {
            let value = args.next().with_context(|| format!("{name} wants a value\n{USAGE}"))?;
            match name.as_str() {
                "--dir" => options.dir = value.into(),
                "--pairs" => options.pairs = value.parse::<usize>().context("--pairs")?.max(1),
                "--python" => options.python = Some(value.into()),
                _ => bail!("no such option: {name}\n{USAGE}"),
            }
        }
        Ok(options)
    }
}
