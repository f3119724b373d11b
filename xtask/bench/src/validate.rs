//! How fast a directory of checkpoints is validated, compared with reading and hashing it alone.

use std::path::{Path, PathBuf};

use anyhow::{Result, ensure};
use clap::Args;
use rayon::prelude::*;
use vnp_ckpt::Limits;
use vnp_validate::{Level, validate_tree};

use crate::checkpoint::{ROWS, checkpoint};
use crate::pairs::Report;

/// Validation may take this many times as long as reading and hashing.
const TARGET: f64 = 1.3;

/// Times the validation of files of 133 MB against reading and hashing them.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// Directory to write in
    #[arg(long, default_value = ".")]
    dir: PathBuf,
    /// How many times each pair is timed
    #[arg(long, value_name = "N", default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pairs: u32,
    /// How many files are validated
    #[arg(long, value_name = "N", default_value = "20", value_parser = clap::value_parser!(u32).range(1..))]
    files: u32,
}

/// Times the levels and prints the ratios.
pub(crate) fn run(options: &Options) -> Result<()> {
    fs_err::create_dir_all(&options.dir)?;
    let dir = tempfile::Builder::new().prefix("bench-validate").tempdir_in(&options.dir)?;
    let paths = write(dir.path(), options.files)?;
    let mut report = Report::new(options.pairs as usize);
    report.title(&format!("{} files of {ROWS} rows, in one pool", options.files))?;
    let all = || validate(dir.path(), Level::Tensors, paths.len());
    let cheap = || validate(dir.path(), Level::Container, paths.len());
    let hash = || hash(&paths);
    report.pair(("validate, every level", Some(TARGET)), all, "read and hash", hash)?;
    report.pair(("validate, cheap levels", None), cheap, "validate, every level", all)?;
    report.finish()
}

fn write(dir: &Path, files: u32) -> Result<Vec<PathBuf>> {
    let checkpoint = checkpoint()?;
    let paths = (0..files).map(|number| dir.join(format!("part-{number}.vnp")));
    paths.map(|path| Ok(vnp_ckpt::atomic_save(&path, &checkpoint).map(|()| path)?)).collect()
}

fn hash(paths: &[PathBuf]) -> Result<()> {
    Ok(paths
        .par_iter()
        .try_for_each(|path| vnp_ckpt::verify_digests(path, &Limits::default()).map(drop))?)
}

fn validate(dir: &Path, level: Level, files: usize) -> Result<()> {
    let options = vnp_validate::Options { level, ..vnp_validate::Options::default() };
    let reports = validate_tree(dir, &options)?;
    ensure!(reports.len() == files, "{} of {files} files were found", reports.len());
    let bad = reports.iter().find(|report| !report.is_ok());
    ensure!(bad.is_none(), "{bad:?}");
    Ok(())
}
