//! Telling a temporary that a killed process left from one that a process works on, by its lock.

use std::fs::{File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use fs_err as fs;
use vnp_escape::{escaped, escaped_path};

use super::name::{LOCK, SAVED_FILE, TemporaryName};
use super::same_file::is_at;

/// What becomes of a temporary on a file system without locks, where its process cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unlockable {
    /// It stays.
    Stays,
    /// It goes: for a directory that the caller has to itself.
    Goes,
}

/// Whether a process works on the temporary file or directory at `path`; `false` also where that
/// cannot be known.
#[must_use]
pub fn is_held(path: &Path) -> bool {
    let locked = |path: &Path| matches!(taken(path), Err(TryLockError::WouldBlock));
    match path.symlink_metadata() {
        Ok(found) if found.is_dir() => {
            [LOCK, SAVED_FILE].iter().any(|name| locked(&path.join(name)))
        }
        Ok(found) => found.is_file() && locked(path),
        Err(_) => false,
    }
}

/// Locks a file that this process has just made; `false` if another process has swept it before. On a
/// file system without locks nothing is locked.
pub(super) fn lock(file: &File, path: &Path) -> bool {
    match file.try_lock() {
        Ok(()) => cfg!(not(unix)) || is_at(file, path),
        Err(TryLockError::WouldBlock) => false,
        Err(TryLockError::Error(error)) => {
            log::debug!("{} is not locked: {error}", escaped_path(path));
            true
        }
    }
}

/// Opens and locks an existing file.
fn taken(path: &Path) -> Result<File, TryLockError> {
    let of_open = |error| TryLockError::Error(error);
    // Neither a link nor a pipe, whose opening would wait, is one of ours.
    if !path.symlink_metadata().map_err(of_open)?.is_file() {
        return Err(of_open(io::ErrorKind::InvalidInput.into()));
    }
    // Network file systems lock only what is open for writing.
    let file = File::options().read(true).write(true).open(path).map_err(of_open)?;
    file.try_lock().map(|()| file)
}

pub(super) fn sweep(
    name: TemporaryName,
    directory: &Path,
    unlockable: Unlockable,
) -> io::Result<Vec<PathBuf>> {
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(directory)? {
        let entry = entry?;
        let path = entry.path();
        if !name.is_name(&entry.file_name().to_string_lossy()) {
            continue;
        }
        // Not followed: a link of that name is nothing that we made.
        let gone = match entry.file_type() {
            Ok(kind) if kind.is_dir() => sweep_directory(name, &path, unlockable),
            Ok(kind) if kind.is_file() && !name.only_lock => sweep_file(&path, unlockable),
            _ => Ok(false),
        };
        match gone {
            Ok(true) => removed.push(path),
            Ok(false) => {}
            Err(error) => log::warn!("stale temporary stays: {}", escaped(error)),
        }
    }
    removed.sort();
    Ok(removed)
}

fn sweep_file(path: &Path, unlockable: Unlockable) -> io::Result<bool> {
    match taken(path) {
        Err(TryLockError::WouldBlock) => return Ok(false),
        Err(TryLockError::Error(_)) if unlockable == Unlockable::Stays => return Ok(false),
        // Held until the file is gone.
        lock => fs::remove_file(path).map(|()| drop(lock))?,
    }
    Ok(true)
}

fn sweep_directory(
    name: TemporaryName,
    directory: &Path,
    unlockable: Unlockable,
) -> io::Result<bool> {
    let file = directory.join(name.lock);
    match taken(&file) {
        Err(TryLockError::WouldBlock) => return Ok(false),
        // Killed before it had a lock, or after the file in it got its name. This refuses a directory with
        // anything in it, as that of a process which has just made its lock.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::NotFound => {
            match fs::remove_dir(directory) {
                Err(error) if unlockable == Unlockable::Goes => return Err(error),
                removed => return Ok(removed.is_ok()),
            }
        }
        Err(TryLockError::Error(_)) if unlockable == Unlockable::Stays => return Ok(false),
        lock if name.only_lock => {
            fs::remove_file(file)?;
            fs::remove_dir(directory)?;
            drop(lock);
        }
        lock => fs::remove_dir_all(directory).map(|()| drop(lock))?,
    }
    Ok(true)
}

/// Removes a directory into which other threads may still write.
pub(super) fn remove_tree(directory: &Path) {
    for _ in 0..20 {
        match std::fs::remove_dir_all(directory) {
            Ok(()) => return,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(_) => std::thread::sleep(Duration::from_millis(10)),
        }
    }
}
