//! The lock that keeps a second process out of a job's directory.

use std::fs::TryLockError;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use fs_err::{File, OpenOptions};

use crate::error::io_at;
use crate::time::rfc3339_now;

/// An exclusive lock on a job's directory, held until dropped.
///
/// The operating system releases it with the process, however that ends, so a lock file left behind
/// by a dead process blocks no other one. The file itself stays: unlinking a lock file would let two
/// processes hold "the lock" at once.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
    /// False on a file system without locks.
    is_exclusive: bool,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Another process holds it: what that process wrote about itself.
    Held(String),
    /// The lock file cannot be used.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, or reports who holds it.
    pub(crate) fn take(path: &Path) -> Result<Self, NotTaken> {
        Self::take_with(path, |file| file.file().try_lock())
    }

    /// [`take`](Self::take) with the system's locking call as an argument.
    fn take_with(
        path: &Path,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, NotTaken> {
        loop {
            let mut file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path)
                .map_err(NotTaken::Io)?;
            let is_exclusive = match try_lock(&file) {
                Ok(()) => true,
                Err(TryLockError::WouldBlock) => return Err(NotTaken::Held(holder(&mut file))),
                Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                    log::warn!(
                        "{}: this file system has no locks ({source}): make sure that no other \
                         process works in the directory",
                        path.display()
                    );
                    false
                }
                Err(TryLockError::Error(source)) => {
                    return Err(NotTaken::Io(io_at("lock", path, &source)));
                }
            };
            if !is_at(&file, path) {
                // The file was removed between opening and locking, with a directory that was
                // rolled back: another process may lock its successor.
                continue;
            }
            let line =
                format!("process {} on {} since {}\n", std::process::id(), host(), rfc3339_now());
            file.set_len(0).and_then(|()| file.write_all(line.as_bytes())).map_err(NotTaken::Io)?;
            return Ok(Self { file, is_exclusive });
        }
    }

    /// Whether no other process can be at work: false on a file system without locks.
    pub(crate) fn is_exclusive(&self) -> bool {
        self.is_exclusive
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Best effort: an empty file shows a reader that no process is at work. The lock itself
        // goes with the handle.
        if let Err(error) = self.file.set_len(0) {
            log::debug!("cannot empty the lock file: {error}");
        }
    }
}

/// The holder of the lock at `path`, if a process holds it; nothing is changed.
pub(crate) fn held_by(path: &Path) -> Option<String> {
    let mut file = File::open(path).ok()?;
    let held = matches!(file.file().try_lock_shared(), Err(TryLockError::WouldBlock));
    held.then(|| holder(&mut file))
}

/// Whether a locking error means that the file system offers no locks at all, as some network file
/// systems do (Lustre without `flock`: `ENOSYS`; NFS without a lock daemon: `ENOLCK`).
fn has_no_locks(error: &io::Error) -> bool {
    #[cfg(unix)]
    if error.raw_os_error() == Some(rustix::io::Errno::NOLCK.raw_os_error()) {
        return true;
    }
    error.kind() == io::ErrorKind::Unsupported
}

/// Whether `path` leads to this very file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.metadata()) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

fn host() -> String {
    #[cfg(unix)]
    return rustix::system::uname().nodename().to_string_lossy().into_owned();
    #[cfg(not(unix))]
    return "this machine".to_owned();
}

fn holder(file: &mut File) -> String {
    let mut text = String::new();
    let read = file.rewind().and_then(|()| file.read_to_string(&mut text));
    match (read, text.trim()) {
        (Ok(_), line) if !line.is_empty() => line.to_owned(),
        _ => "another process".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let Err(NotTaken::Held(holder)) = Lock::take(&path) else { panic!("taken twice") };
        assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
        assert_eq!(held_by(&path), Some(holder));
        drop(first);
        assert_eq!(held_by(&path), None);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_file_left_by_a_dead_process_blocks_nobody() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "process 1 on elsewhere since 2020-01-01T00:00:00Z\n").unwrap();
        Lock::take(&path).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_was_removed_is_no_longer_the_lock() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let file = File::create(&path).unwrap();
        assert!(is_at(&file, &path));
        fs_err::remove_file(&path).unwrap();
        assert!(!is_at(&file, &path));
        File::create(&path).unwrap();
        assert!(!is_at(&file, &path));

        // Whoever locks a removed file takes the one that is there now.
        let removed = std::cell::Cell::new(false);
        let lock = Lock::take_with(&path, |file| {
            if !removed.replace(true) {
                std::fs::remove_file(&path).unwrap();
            }
            file.file().try_lock()
        })
        .unwrap();
        assert!(is_at(&lock.file, &path));
    }

    #[cfg(unix)]
    #[test]
    fn a_file_system_without_locks_is_worked_on_with_a_warning() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let fail = |errno: rustix::io::Errno| {
            let error = io::Error::from_raw_os_error(errno.raw_os_error());
            Lock::take_with(&path, |_| {
                Err(TryLockError::Error(io::Error::from_raw_os_error(
                    error.raw_os_error().unwrap(),
                )))
            })
        };
        for errno in
            [rustix::io::Errno::NOLCK, rustix::io::Errno::NOSYS, rustix::io::Errno::OPNOTSUPP]
        {
            assert!(!fail(errno).unwrap().is_exclusive());
        }
        let Err(NotTaken::Io(error)) = fail(rustix::io::Errno::IO) else { panic!("taken") };
        assert!(error.to_string().contains("lock"), "{error}");
    }
}
