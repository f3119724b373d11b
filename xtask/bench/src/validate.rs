//! How fast a directory of checkpoints is validated, beside reading and hashing it alone.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use rayon::prelude::*;
use vnp_ckpt::Limits;
use vnp_validate::{Level, Options, validate_tree};

use crate::bench_ckpt::contents;
use crate::bench_ckpt::pairs::{Report, timed};

pub(crate) const USAGE: &str = "\
cargo run --release -p xtask -- bench-validate [--dir DIR] [--pairs N] [--files N]
        time the validation of N files of 133 MB beside reading and hashing them
";

/// Validation may cost so much more than reading and hashing.
const TARGET: f64 = 1.3;

/// Times the levels and prints the ratios.
pub(crate) fn run(args: &[String]) -> Result<()> {
    let (mut dir, mut pairs, mut files) = (PathBuf::from("."), 5, 20_usize);
    let mut args = args.iter();
    while let Some(name) = args.next() {
        let value = args.next().with_context(|| format!("{name} wants a value\n{USAGE}"))?;
        match name.as_str() {
            "--dir" => dir = value.into(),
            "--pairs" => pairs = value.parse::<usize>().context("--pairs")?.max(1),
            "--files" => files = value.parse::<usize>().context("--files")?.max(1),
            _ => bail!("no such option: {name}\n{USAGE}"),
        }
    }
    fs_err::create_dir_all(&dir)?;
    let dir = tempfile::Builder::new().prefix("bench-validate").tempdir_in(&dir)?;
    let paths = make(dir.path(), files)?;
    let mut report = Report::new(pairs);
    report.title(&format!("{files} files of {} rows, in one pool", crate::bench_ckpt::ROWS))?;
    let hash = || timed(|| hash(&paths));
    report.pair(
        ("validate, every level", Some(TARGET)),
        || timed(|| validate(dir.path(), Level::Tensors, files)),
        "read and hash",
        hash,
    )?;
    report.pair(
        ("validate, cheap levels", None),
        || timed(|| validate(dir.path(), Level::Container, files)),
        "validate, every level",
        || timed(|| validate(dir.path(), Level::Tensors, files)),
    )?;
    let met = report.rows().iter().all(|row| row.is_met() != Some(false));
    writeln!(std::io::stdout(), "{}", if met { "target met" } else { "target MISSED" })?;
    Ok(())
}

fn make(dir: &Path, files: usize) -> Result<Vec<PathBuf>> {
    let checkpoint = contents::checkpoint()?;
    let paths = (0..files).map(|number| dir.join(format!("part-{number}.vnp")));
    paths.map(|path| Ok(vnp_ckpt::atomic_save(&path, &checkpoint).map(|()| path)?)).collect()
}

fn hash(paths: &[PathBuf]) -> Result<()> {
    Ok(paths
        .par_iter()
        .try_for_each(|path| vnp_ckpt::verify_digests(path, &Limits::default()).map(drop))?)
}

fn validate(dir: &Path, level: Level, files: usize) -> Result<()> {
    let reports = validate_tree(dir, &Options { level, ..Options::default() })?;
    ensure!(reports.len() == files, "{} of {files} files were found", reports.len());
    let bad = reports.iter().find(|report| !report.is_ok());
    ensure!(bad.is_none(), "{bad:?}");
    Ok(())
}
