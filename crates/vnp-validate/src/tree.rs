//! Every checkpoint below a directory.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Condvar, Mutex, PoisonError};

use fs_err as fs;
use rayon::prelude::*;

use crate::{Code, Error, Finding, Options, Report, check, failure_log};

/// The extensions of what is looked at.
const EXTENSIONS: [&str; 3] = ["vnp", "pt", "pth"];

/// Validates every `.vnp`, `.pt` and `.pth` file below `directory`, in parallel on the current
/// rayon pool, and reports in the order of the paths.
///
/// Directories that are symbolic links are not entered, so that no loop is walked and no other
/// tree is looked at; links to files are. Files side by side take no more memory than
/// [`Options::memory_bytes`] allows. A file, or a directory further down, that cannot be read is
/// reported as [`Code::Unreadable`], and the others go on.
///
/// # Errors
/// [`Error::CannotList`] when `directory` itself cannot be read.
pub fn validate_tree(directory: &Path, options: &Options) -> Result<Vec<Report>, Error> {
    let Walk { files, unreadable } = walk(directory)?;
    let budget = Budget::new(options.memory_bytes);
    let mut reports: Vec<Report> = files
        .into_par_iter()
        .map(|path| {
            let file_bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            let _share = budget.take(file_bytes);
            check::validate_checkpoint(&path, options)
                .unwrap_or_else(|error| unreadable_report(&path, &error.to_string(), options))
        })
        .collect();
    reports.extend(unreadable.iter().map(|(path, why)| unreadable_report(path, why, options)));
    reports.sort_by(|a, b| a.path.cmp(&b.path));
    Ok(reports)
}

struct Walk {
    files: BTreeSet<PathBuf>,
    unreadable: Vec<(PathBuf, String)>,
}

fn walk(top: &Path) -> Result<Walk, Error> {
    let mut found = Walk { files: BTreeSet::new(), unreadable: Vec::new() };
    let mut open = vec![top.to_owned()];
    while let Some(directory) = open.pop() {
        match list(&directory, &mut found.files, &mut open) {
            Ok(()) => {}
            Err(source) if directory == top => {
                return Err(Error::CannotList { path: directory, source });
            }
            Err(error) => found.unreadable.push((directory, error.to_string())),
        }
    }
    Ok(found)
}

fn list(
    directory: &Path,
    files: &mut BTreeSet<PathBuf>,
    open: &mut Vec<PathBuf>,
) -> std::io::Result<()> {
    // Without fs_err: the caller names the directory.
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if entry.file_type()?.is_dir() {
            open.push(path);
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
    if let Some(log) = &options.log_failures
        && let Err(error) = failure_log::log_failed_checkpoint(log, path, &report.reason())
    {
        log::warn!("{} is bad and could not be recorded: {error}", path.display());
    }
    report
}

/// Bytes that files which are looked at side by side may take together.
struct Budget {
    all: u64,
    left: Mutex<u64>,
    given_back: Condvar,
}

/// A share of the budget, given back when dropped.
struct Share<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    fn new(bytes: u64) -> Self {
        let all = bytes.max(1);
        Self { all, left: Mutex::new(all), given_back: Condvar::new() }
    }

    /// Waits until there is room. A file larger than the whole budget waits until it is alone.
    /// Who holds a share never waits for another one, so that everybody gets on.
    fn take(&self, bytes: u64) -> Share<'_> {
        let bytes = bytes.min(self.all);
        let left = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let mut left = self
            .given_back
            .wait_while(left, |left| *left < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *left -= bytes;
        Share { budget: self, bytes }
    }
}

impl Drop for Share<'_> {
    fn drop(&mut self) {
        *self.budget.left.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.given_back.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn shares_never_exceed_the_budget() {
        let (budget, taken, most) = (Budget::new(10), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, taken, most) = (&budget, &taken, &most);
                scope.spawn(move || {
                    for step in 0..200 {
                        let share = budget.take((thread * 7 + step * 3) % 25);
                        let now = taken.fetch_add(share.bytes, Ordering::SeqCst) + share.bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        taken.fetch_sub(share.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 10);
        assert_eq!(*budget.left.lock().unwrap(), 10);
    }
}
