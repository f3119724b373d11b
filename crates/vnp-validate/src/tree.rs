//! Validating every checkpoint below a directory, in parallel.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use fs_err as fs;
use rayon::prelude::*;
use vnp_ckpt::Limits;

use crate::check;
use crate::error::Error;
use crate::finding::{Code, Finding};
use crate::options::Options;
use crate::report::Report;

mod budget;

use budget::Budget;

/// The extensions of files to validate.
const EXTENSIONS: [&str; 3] = ["vnp", "pt", "pth"];

/// Validates every `.vnp`, `.pt` and `.pth` file below `directory`, in parallel on the current
/// rayon pool, and reports in the order of the paths.
///
/// Links to directories are not followed, so that the walk has no loops and stays in its tree; links
/// to files are. Files that are inspected at the same time take no more memory than
/// [`Options::memory_bytes`] allows. A file or subdirectory that cannot be read is reported as
/// [`Code::Unreadable`], and the others are still validated.
///
/// # Errors
/// [`Error::CannotList`] when `directory` itself cannot be read.
pub fn validate_tree(directory: &Path, options: &Options) -> Result<Vec<Report>, Error> {
    let Walk { files, unreadable } = walk(directory)?;
    let budget = Budget::new(options.memory_bytes);
    let modest = modest(options);
    let first: Vec<(PathBuf, Option<Report>)> = files
        .into_par_iter()
        .map(|path| {
            let file_bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let _reservation = budget.reserve(file_bytes);
            let report = validate_modestly(&path, &modest, options);
            (path, report)
        })
        .collect();
    // One after the other: many files that mean much take no more memory than one of them.
    let all = first.into_iter().map(|(path, report)| match report {
        Some(report) => report,
        None => check::validate_checkpoint(&path, options)
            .unwrap_or_else(|error| unreadable_report(&path, &error.to_string(), options)),
    });
    // On a thread of the pool, whose allocator holds memory that is free by now.
    let mut reports: Vec<Report> = rayon::scope(|_| all.collect());
    reports.extend(unreadable.iter().map(|(path, why)| unreadable_report(path, why, options)));
    reports.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(reports)
}

/// What all files that are inspected at the same time may take together beside their own bytes.
const SHARED_BYTES: u64 = 32 << 20;

/// The least of it that a file has, however many threads there are.
const SHARE_BYTES: u64 = 4 << 20;

/// The options of a first attempt: with a share of the memory that all threads have together.
fn modest(options: &Options) -> Options {
    let share = (SHARED_BYTES / rayon::current_num_threads().max(1) as u64).max(SHARE_BYTES);
    let memory_bytes = options.limits.memory_bytes.min(share);
    let limits = Limits { memory_bytes, ..options.limits.clone() };
    Options { limits, log_failures: None, ..options.clone() }
}

/// Validates a file within its share; `None` for one that means more than that.
fn validate_modestly(path: &Path, modest: &Options, options: &Options) -> Option<Report> {
    match check::validate_checkpoint(path, modest) {
        Ok(report) if is_limited(&report) => None,
        Ok(report) => {
            check::record_failure(&report, options);
            Some(report)
        }
        Err(error) => Some(unreadable_report(path, &error.to_string(), options)),
    }
}

fn is_limited(report: &Report) -> bool {
    report.findings.iter().any(|finding| finding.code == Code::LimitExceeded)
}

/// The files to validate, and the directories that cannot be read.
struct Walk {
    files: BTreeSet<PathBuf>,
    unreadable: Vec<(PathBuf, String)>,
}

fn walk(top: &Path) -> Result<Walk, Error> {
    let mut found = Walk { files: BTreeSet::new(), unreadable: Vec::new() };
    let mut pending = vec![top.to_owned()];
    while let Some(directory) = pending.pop() {
        match list(&directory, &mut found.files, &mut pending) {
            Ok(()) => {}
            Err(source) if directory == top => {
                return Err(Error::CannotList { path: directory, cause: source });
            }
            Err(error) => found.unreadable.push((directory, error.to_string())),
        }
    }
    Ok(found)
}

fn list(
    directory: &Path,
    files: &mut BTreeSet<PathBuf>,
    pending: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    // Without fs_err: the caller names the directory.
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            pending.push(path);
        } else if is_checkpoint_name(&path) && !path.is_dir() {
            files.insert(path);
        }
    }
    Ok(())
}

fn is_checkpoint_name(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    EXTENSIONS.iter().any(|known| extension.eq_ignore_ascii_case(known))
}

fn unreadable_report(path: &Path, why: &str, options: &Options) -> Report {
    let mut report = Report::new(path);
    report.findings.push(Finding::new(Code::Unreadable, "file", "one that can be read", why));
    check::record_failure(&report, options);
    report
}
