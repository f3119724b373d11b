//! What attackers tried against `vnp`, again: hostile files, inputs and directories, given to an earlier program
//! and to this one, with what each took and what went wrong.

mod case;
mod cases;
mod ended;
mod finding;
mod program;
mod table;
mod trial;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use clap::Args;

use case::Case;
use finding::Finding;
use table::{Row, Table};
use trial::Trial;

/// Gives hostile files, inputs and directories to an earlier program and to this one.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// The earlier program; without it there is one column of figures
    #[arg(long, value_name = "FILE")]
    before: Option<PathBuf>,
    /// The program that must answer well [default: the vnp next to this program]
    #[arg(long, value_name = "FILE")]
    after: Option<PathBuf>,
    /// Findings to try
    #[arg(long, value_name = "LIST", value_delimiter = ',', value_enum)]
    only: Vec<Finding>,
    /// Print every case, not only the worst of each finding
    #[arg(long)]
    all: bool,
    /// Also sequences of 500 Mb and a million records; 3 GB on disk
    #[arg(long)]
    large: bool,
    /// Size of each hostile file in bytes
    #[arg(long, value_name = "N", default_value = "7000000")]
    bytes: usize,
    /// Directory to write in [default: that for temporaries]
    #[arg(long)]
    dir: Option<PathBuf>,
    /// Seconds after which the earlier program is killed
    #[arg(long, value_name = "T", default_value = "6")]
    patience: u64,
    /// One case by its name, of `--after` alone and in `--dir` as it stands: prints what it took
    #[arg(long, hide = true)]
    single: Option<String>,
}

/// This program is killed after this time; it must answer far earlier.
const PATIENCE: Duration = Duration::from_secs(300);

/// Tries every case, prints a table, and fails if this program did not answer well.
pub(crate) fn run(options: &Options) -> Result<()> {
    let after = match &options.after {
        Some(after) => after.clone(),
        None => std::env::current_exe()?.with_file_name("vnp"),
    };
    let cases = cases::all(options.bytes, options.large);
    if let Some(name) = &options.single {
        let case = cases.iter().find(|case| case.name == *name).context("no such case")?;
        let dir = options.dir.as_deref().context("--single needs --dir")?;
        return trial::single(case, &after, dir, Duration::from_secs(options.patience));
    }
    let parent = options.dir.clone().unwrap_or_else(std::env::temp_dir);
    let dir = tempfile::Builder::new().prefix("attacked").tempdir_in(parent)?;
    let mut arguments = vec!["--bytes".to_owned(), options.bytes.to_string()];
    arguments.extend(options.large.then(|| "--large".to_owned()));
    let try_all = |case: &Case| -> Result<Row> {
        let trial =
            |program: &Path, patience| Trial::of(case, program, dir.path(), &arguments, patience);
        let before = match &options.before {
            Some(before) => Some(trial(before, Duration::from_secs(options.patience))?),
            None => None,
        };
        Ok(Row { case: case.name.clone(), before, after: trial(&after, PATIENCE)? })
    };
    let table = Table::new(options.all)?;
    let mut all_good = true;
    for finding in Finding::all().filter(|it| options.only.is_empty() || options.only.contains(it))
    {
        let mut rows = Vec::new();
        for case in cases.iter().filter(|case| case.finding == finding) {
            let row = try_all(case)?;
            all_good &= row.after.is_good(case);
            rows.push((case, row));
        }
        table.print(finding, &rows)?;
    }
    ensure!(all_good, "a case took too much, or went wrong");
    Ok(())
}
