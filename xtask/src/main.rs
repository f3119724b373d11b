//! Project chores: `cargo xtask COMMAND`.
#![allow(clippy::print_stderr, reason = "a command line tool talks")]

#[cfg(feature = "train")]
mod train_mini;

use std::process::ExitCode;

use anyhow::{Result, bail};

const USAGE: &str = "usage: cargo xtask COMMAND

  train-mini [--data DIR] [--examples FILE] [--out DIR] [--set NAME=VALUE]...
      makes the embedded bundle; wants the feature `train`:
      cargo run --release -p xtask --features train -- train-mini";

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:?}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[String]) -> Result<()> {
    match args.first().map(String::as_str) {
        #[cfg(feature = "train")]
        Some("train-mini") => train_mini::run(args.get(1..).unwrap_or_default()),
        #[cfg(not(feature = "train"))]
        Some("train-mini") => bail!("built without the feature `train`: add `--features train`"),
        _ => bail!("{USAGE}"),
    }
}
