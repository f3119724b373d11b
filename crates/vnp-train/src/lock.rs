//! One training at a time in one directory.

use std::fs::TryLockError;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use fs_err::{File, OpenOptions};

/// An exclusive lock, held until dropped.
///
/// The operating system releases it with the process, however that ends, so a lock file left
/// behind by a dead process blocks no other. The file itself stays: unlinking a lock file lets two
/// processes hold "the lock" at once.
#[derive(Debug)]
pub(crate) struct Lock {
    file: File,
}

/// Why a lock was not taken.
#[derive(Debug)]
pub(crate) enum NotTaken {
    /// Another process holds it; what that process wrote about itself.
    Held(String),
    /// The lock file cannot be used.
    Io(io::Error),
}

impl Lock {
    /// Takes the lock, or says who holds it.
    pub(crate) fn take(path: &Path) -> Result<Self, NotTaken> {
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(false);
        let mut file = options.open(path).map_err(NotTaken::Io)?;
        match file.file().try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(NotTaken::Held(holder(&mut file))),
            Err(TryLockError::Error(source)) => {
                let text = format!("cannot lock `{}`: {source}", path.display());
                return Err(NotTaken::Io(io::Error::new(source.kind(), text)));
            }
        }
        if !is_at(&file, path) {
            // Removed between opening and locking, with a directory that was given up.
            return Self::take(path);
        }
        let since = jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ");
        let line = format!("process {} on {} since {since}\n", std::process::id(), host());
        file.set_len(0).and_then(|()| file.write_all(line.as_bytes())).map_err(NotTaken::Io)?;
        Ok(Self { file })
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Best effort: an empty file means that no process is at work; the lock goes with the handle.
        if let Err(error) = self.file.set_len(0) {
            log::debug!("cannot empty the lock file: {error}");
        }
    }
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
    }

    #[test]
    fn a_second_holder_is_told_who_the_first_is() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        let first = Lock::take(&path).unwrap();
        let Err(NotTaken::Held(holder)) = Lock::take(&path) else { panic!("taken twice") };
        assert!(holder.starts_with(&format!("process {} on ", std::process::id())), "{holder}");
        drop(first);
        Lock::take(&path).unwrap();
    }

    #[test]
    fn a_file_left_by_a_dead_process_holds_nobody_up() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("lock");
        std::fs::write(&path, "process 1 on elsewhere since 2020-01-01T00:00:00Z\n").unwrap();
        Lock::take(&path).unwrap();
    }
}
