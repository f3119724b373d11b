//! What lies in a job's directory: nothing yet, files of the job, or what its killed sessions left.

use std::path::{Path, PathBuf};

use vnp_ckpt::temporaries::is_held;
use vnp_escape::escaped_path;

use crate::error::Error;
use crate::files::{entries, remove_file_if_there, remove_if_there};
use crate::kind::JobKind;
use crate::lock::is_of_lock;
use crate::log_file::is_log_file;
use crate::part_name::is_part_or_quarantined;
use crate::publish::UNPUBLISHED;
use crate::quarantine::QUARANTINED;
use crate::spool::SPOOLED;

/// The lock file in `checkpoints`.
pub(super) const LOCK: &str = "lock";
/// Folders in folders that are searched for a file; nothing of ours is this deep.
const DEPTH: usize = 16;

/// Whether a directory holds nothing that a job could harm or continue: what the system puts into a
/// fresh file system, logs of `vnp`, and directories that hold no more. The names in `but` do not count.
pub(super) fn holds_nothing_but(dir: &Path, but: &[&str]) -> Result<bool, Error> {
    let counts = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        name != "lost+found" && !but.iter().any(|other| name == *other)
    };
    all_logs(entries(dir)?.into_iter().filter(counts).collect(), DEPTH)
}

/// The same of `checkpoints`, in which the lock's files do not count.
pub(super) fn holds_nothing_but_the_lock(checkpoints: &Path) -> Result<bool, Error> {
    let lock = checkpoints.join(LOCK);
    let counts = |path: &PathBuf| !is_of_lock(path, &lock);
    all_logs(entries(checkpoints)?.into_iter().filter(counts).collect(), DEPTH)
}

fn all_logs(paths: Vec<PathBuf>, depth: usize) -> Result<bool, Error> {
    for path in paths {
        let is_nothing = if fs_err::symlink_metadata(&path)?.is_dir() {
            depth > 0 && all_logs(entries(&path)?, depth - 1)?
        } else {
            // A log may be a link to another place; anything that cannot be read is something.
            path.is_file() && is_log_file(&path).unwrap_or(false)
        };
        if !is_nothing {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a job writes a file of this path below its `checkpoints`, its state apart.
#[must_use]
pub fn is_checkpoint_file(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    match file.components().count() {
        1 => {
            is_of_lock(file, Path::new(LOCK))
                || [vnp_validate::FAILED_CHECKPOINTS, vnp_validate::FAILED_FILES].contains(&&*name)
                || name.starts_with(SPOOLED)
        }
        2 => is_part_or_quarantined(&name),
        _ => false,
    }
}

/// Whether a path is the state file `name`, or a quarantined one.
pub(super) fn is_of(path: &Path, name: &str) -> bool {
    let found = path.file_name().map(|found| found.to_string_lossy()).unwrap_or_default();
    found == name || (found.starts_with(name) && found.ends_with(QUARANTINED))
}

/// Removes temporaries of sessions that were killed. Safe only while the lock is held: where the file system
/// has locks, those of other commands that write here stay. One that cannot be removed, as where a network file system still holds a file in it, stays.
pub(super) fn remove_stale(path: &Path, checkpoints: &Path, kind: &JobKind) -> Result<(), Error> {
    let stages = kind.stages.iter().map(|name| checkpoints.join(name));
    for dir in stages.chain([checkpoints.to_owned(), path.to_owned()]) {
        if dir.is_dir() {
            for removed in vnp_ckpt::sweep_stale_temporaries(&dir)? {
                log::debug!("{} was left by a killed writer: removed", escaped_path(&removed));
            }
        }
    }
    let prefixes = [UNPUBLISHED].into_iter().chain(kind.temporaries.iter().copied());
    let stays = |removed: Result<(), Error>| {
        if let Err(error) = removed {
            log::warn!("stale temporary stays: {error}");
        }
    };
    for dir in [path, checkpoints] {
        for path in entries(dir)? {
            if prefixes.clone().any(|prefix| begins_with(&path, prefix)) && !is_held(&path) {
                stays(remove_if_there(&path));
            }
        }
    }
    // Their names are not hidden: only where they are made, and only files.
    for path in entries(checkpoints)? {
        if begins_with(&path, SPOOLED) && path.is_file() && !is_held(&path) {
            stays(remove_file_if_there(&path));
        }
    }
    Ok(())
}

fn begins_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}
