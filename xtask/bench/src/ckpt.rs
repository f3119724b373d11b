//! How fast checkpoints are written and read, compared with the limits of this machine and torch.

mod limits;
mod native;
mod pages;
mod torch;

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::Args;

use crate::pairs::Report;

/// Times checkpoints against the limits of this machine.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Directory to write in; it should be on a disk
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many times each pair is timed
    #[arg(long, value_name = "N", default_value = "21", value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// Python with torch, to compare .pt files with it too
    #[arg(long, value_name = "PATH")]
    python: Option<PathBuf>,
}

/// Times everything and prints the table.
pub(crate) fn run(options: &Options) -> Result<()> {
    fs_err::create_dir_all(&options.dir)?;
    let dir = tempfile::Builder::new().prefix("bench-ckpt").tempdir_in(&options.dir)?;
    let mut report = Report::new(options.pairs as usize);
    native::run(dir.path(), &mut report)?;
    match &options.python {
        Some(python) => torch::run(dir.path(), python, &mut report)?,
        None => writeln!(std::io::stdout(), "without --python nothing is compared with torch")?,
    }
    report.finish()
}
