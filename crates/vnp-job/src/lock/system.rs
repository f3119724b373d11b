//! A lock of the operating system on a file: it goes with the process, however that ends.

use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fs_err::{File, OpenOptions};
use vnp_escape::{FileKind, escaped_path};

use super::claim::NotTaken;
use super::found::{Found, no_link};
use super::heartbeat::Heartbeat;
use super::owner::Owner;
use crate::error::io_at;

/// How often the holder shows that it is at work to machines on which the file system has no locks.
const BEAT: Duration = Duration::from_secs(60);

/// A locked file. The file itself stays: unlinking a lock file would let two processes hold "the lock"
/// at once.
#[derive(Debug)]
pub(super) struct SystemLock {
    file: File,
    heartbeat: Option<Heartbeat>,
    is_lost: Arc<AtomicBool>,
}

/// What came of the attempt to lock a file.
#[derive(Debug)]
pub(super) enum Attempt {
    Taken(SystemLock),
    /// The file system has no locks.
    NoLocks(io::Error),
}

impl SystemLock {
    /// Locks the file at a path with `try_lock`; `is_claimed` is asked whether there is a claim beside it
    /// after the file says who holds it, so that of two processes one sees the other.
    pub(super) fn take(
        path: &Path,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
        is_claimed: impl Fn() -> Result<Option<String>, NotTaken> + Send + 'static,
    ) -> Result<Attempt, NotTaken> {
        loop {
            let mut file = open(path)?;
            match try_lock(&file) {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    return Err(NotTaken::Held(Found::of(&file)?.line()));
                }
                Err(TryLockError::Error(source)) if has_no_locks(&source) => {
                    return Ok(Attempt::NoLocks(source));
                }
                Err(TryLockError::Error(source)) => {
                    return Err(io_at("lock", path, &source).into());
                }
            }
            if !is_at(&file, path) {
                // The file was removed between opening and locking, with a directory that was
                // rolled back: another process may lock its successor.
                continue;
            }
            let owner = Owner::this_process();
            file.set_len(0).and_then(|()| owner.write(&mut file))?;
            if let Some(holder) = is_claimed()? {
                file.set_len(0)?;
                return Err(NotTaken::Held(holder));
            }
            let is_lost = Arc::new(AtomicBool::new(false));
            let heartbeat = heartbeat(&file, path, owner, is_claimed, &is_lost);
            return Ok(Attempt::Taken(Self { file, heartbeat, is_lost }));
        }
    }

    /// Whether a machine without locks has taken the directory for left.
    pub(super) fn is_lost(&self) -> bool {
        self.is_lost.load(Ordering::Relaxed)
    }

    #[cfg(test)]
    pub(super) fn is_at(&self, path: &Path) -> bool {
        is_at(&self.file, path)
    }
}

impl Drop for SystemLock {
    fn drop(&mut self) {
        drop(self.heartbeat.take());
        // Best effort: an empty file shows a reader that no process is at work. The lock itself
        // goes with the handle.
        if !self.is_lost()
            && let Err(error) = self.file.set_len(0)
        {
            log::debug!("cannot empty the lock file: {error}");
        }
    }
}

/// Keeps the file alive. Without it, only machines on which the file system has no locks are misled.
fn heartbeat(
    file: &File,
    path: &Path,
    owner: Owner,
    is_claimed: impl Fn() -> Result<Option<String>, NotTaken> + Send + 'static,
    is_lost: &Arc<AtomicBool>,
) -> Option<Heartbeat> {
    let (path, is_lost) = (path.to_owned(), Arc::clone(is_lost));
    let started = file.try_clone().and_then(|mut file| {
        Heartbeat::start(BEAT, move || {
            // A file that someone removed was taken by no one yet.
            let is_ours = Found::at(&path).map(|found| found.is_none_or(|f| f.is_of(&owner)));
            match (is_ours, is_claimed()) {
                (Ok(true), Ok(None)) => {
                    if let Err(error) = owner.write(&mut file) {
                        log::debug!("cannot keep the lock file alive: {error}");
                    }
                }
                (Ok(false), _) | (_, Ok(Some(_))) => is_lost.store(true, Ordering::Relaxed),
                (Err(error), _) | (_, Err(NotTaken::Io(error))) => {
                    log::debug!("cannot read the lock file: {error}");
                }
                (_, Err(NotTaken::Held(_))) => {}
            }
            !is_lost.load(Ordering::Relaxed)
        })
    });
    started.inspect_err(|error| log::debug!("no heartbeat of the lock file: {error}")).ok()
}

/// Opens or creates a lock file. It will be emptied: a link, or a file with other contents, is an error.
fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    no_link(options.read(true).write(true).create(true).truncate(false));
    let refused = |what: &str| {
        let text = format!("{} {what}: remove it, or choose another directory", escaped_path(path));
        io::Error::new(io::ErrorKind::InvalidInput, text)
    };
    match path.symlink_metadata() {
        Ok(found) if !found.is_file() => {
            let what = FileKind::of(found.file_type()).name();
            return Err(refused(&format!("is {what}, not a lock file")));
        }
        _ => {}
    }
    let file = options.open(path)?;
    if !Found::of(&file)?.is_ours() {
        return Err(refused("is not a lock file that vnp wrote"));
    }
    Ok(file)
}

/// The process that holds the system's lock on the file at a path, if there is one; an error where the
/// file system has no locks. Nothing is changed.
pub(super) fn held_by(path: &Path) -> io::Result<Option<String>> {
    let file = no_link(OpenOptions::new().read(true)).open(path)?;
    match file.file().try_lock_shared() {
        Ok(()) => Ok(None),
        Err(TryLockError::WouldBlock) => Found::of(&file).map(|found| Some(found.line())),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a locking error means that the file system offers no locks at all, as some network file
/// systems do: Lustre without `flock` (`ENOSYS`), NFS without a lock daemon (`ENOLCK`), others
/// (`ENOTSUP`, `EINVAL`, and the kernel's own `ENOTSUPP`, 524).
fn has_no_locks(error: &io::Error) -> bool {
    const NOT_SUPPORTED: i32 = 524;
    #[cfg(unix)]
    let no_locks = Some(rustix::io::Errno::NOLCK.raw_os_error());
    #[cfg(not(unix))]
    let no_locks = None;
    matches!(error.kind(), io::ErrorKind::Unsupported | io::ErrorKind::InvalidInput)
        || error.raw_os_error().is_some_and(|raw| raw == NOT_SUPPORTED || Some(raw) == no_locks)
}

/// Whether `path` is this very file.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), path.symlink_metadata()) {
        (Ok(open), Ok(named)) => identity(open) == identity(named),
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be removed.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}
