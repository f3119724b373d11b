//! A lock for file systems without locks: a file that one process creates and keeps alive.
//!
//! To take it a process writes a *mark*, a file of a unique name with its own owner in it, and links it
//! to the name of the claim, which fails if that name exists: link and exclusive creation are atomic
//! on network file systems too. The holder writes its text again every minute. A claim is stale when
//! its process has ended, as far as that can be known, or when it was not written for ten minutes, by
//! the time of the mark, which the same file system has just given. A stale claim is renamed to a
//! unique name; if it then turns out to be another one, taken in between, it is linked back. What
//! is left is the time between that rename and that link: whoever finds its nonce gone has lost the
//! claim, notices it before its next save, and ends.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use fs_err::{File, OpenOptions};
use vnp_ckpt::temporaries::Registered;
use vnp_escape::{escaped, escaped_path, sentence};

use super::found::{Found, Now};
use super::heartbeat::Heartbeat;
use super::owner::{Owner, is_nonce};
use crate::error::Error;
use crate::files::{entries, remove_file_if_there};
use crate::publish::parent;

/// How long a claim may not be written before another process takes it.
pub const STALE_AFTER: Duration = Duration::from_secs(600);
/// The beats of a heartbeat in that time.
const BEATS: u32 = 10;
/// Attempts to take a claim that others take and release.
const TRIES: usize = 16;
/// Another process may have the file for a moment, to see whose it is.
const LOOKS: usize = 20;
const PAUSE: Duration = Duration::from_millis(50);

/// Why a lock was not taken.
#[derive(Debug, thiserror::Error)]
pub enum NotTaken {
    /// Another process holds it: what that process wrote about itself.
    #[error("held by {}", sentence(.0))]
    Held(String),
    /// The lock file cannot be used.
    #[error("{}", escaped(.0))]
    Io(io::Error),
}

impl From<io::Error> for NotTaken {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A file that belongs to one process until it is dropped, or until that process stops writing it.
///
/// ```
/// # let directory = tempfile::tempdir().unwrap();
/// use vnp_job::{Claim, NotTaken, STALE_AFTER};
///
/// let path = directory.path().join("claim");
/// let claim = Claim::take(&path, STALE_AFTER)?;
/// assert!(matches!(Claim::take(&path, STALE_AFTER), Err(NotTaken::Held(_))));
/// claim.check()?;
/// drop(claim);
/// assert!(!path.exists());
/// # Ok::<(), NotTaken>(())
/// ```
#[derive(Debug)]
pub struct Claim {
    path: PathBuf,
    owner: Owner,
    heartbeat: Heartbeat,
    is_lost: Arc<AtomicBool>,
    /// Released also when the process is interrupted, or it would count for ten minutes on other machines.
    _registered: Registered,
}

impl Claim {
    /// Takes the claim at a path, whose directory exists. `stale_after` is the same for all that
    /// may want it.
    ///
    /// # Errors
    /// [`NotTaken::Held`], [`NotTaken::Io`].
    pub fn take(path: &Path, stale_after: Duration) -> Result<Self, NotTaken> {
        let owner = Owner::this_process();
        let mut mark = Mark::write(path, owner.clone())?;
        for _ in 0..TRIES {
            if let Some(file) = mark.place(path)? {
                drop(mark);
                let claim = Self::hold(path, owner, file, stale_after)?;
                return claim.check().map(|()| claim);
            }
            // Released in this moment: try again.
            let Some(found) = Found::at(path)? else { continue };
            // Measured after the claim was read: whatever came before may have taken long.
            mark.owner.write(&mut mark.file)?;
            if !found.is_stale(&Now::of(&mark.file)?, stale_after) {
                return Err(NotTaken::Held(found.line()));
            }
            log::warn!(
                "{}: {} is gone: its claim is taken over",
                escaped_path(path),
                sentence(found.line())
            );
            take_away(path, &found)?;
        }
        Err(NotTaken::Held("other processes, which take it in turns".to_owned()))
    }

    /// Keeps a file alive that is at the path.
    fn hold(path: &Path, owner: Owner, mut file: File, stale_after: Duration) -> io::Result<Self> {
        let is_lost = Arc::new(AtomicBool::new(false));
        let beat = {
            let (path, owner, is_lost) = (path.to_owned(), owner.clone(), Arc::clone(&is_lost));
            move || {
                match holder(&path, &owner) {
                    Ok(None) => {
                        if let Err(error) = owner.write(&mut file) {
                            log::debug!("cannot keep the claim alive: {error}");
                        }
                    }
                    Ok(Some(_)) => is_lost.store(true, Ordering::Relaxed),
                    Err(error) => log::debug!("cannot read the claim: {error}"),
                }
                !is_lost.load(Ordering::Relaxed)
            }
        };
        let heartbeat = Heartbeat::start(stale_after / BEATS, beat);
        let heartbeat = heartbeat.inspect_err(|_| drop(std::fs::remove_file(path)))?;
        let registered = {
            let (path, owner) = (path.to_owned(), owner.clone());
            Registered::new(move || release(&path, &owner))
        };
        Ok(Self { path: path.to_owned(), owner, heartbeat, is_lost, _registered: registered })
    }

    /// Checks that the claim is still this process's.
    ///
    /// # Errors
    /// [`NotTaken::Held`] when another process has taken it over; [`NotTaken::Io`].
    pub fn check(&self) -> Result<(), NotTaken> {
        match holder(&self.path, &self.owner)? {
            None if !self.is_lost.load(Ordering::Relaxed) => Ok(()),
            other => Err(NotTaken::Held(other.unwrap_or_else(|| "another process".to_owned()))),
        }
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.heartbeat.end();
        release(&self.path, &self.owner);
    }
}

/// Removes a claim if it is still its owner's.
fn release(path: &Path, owner: &Owner) {
    if let Ok(Some(found)) = Found::at(path)
        && found.is_of(owner)
        && let Err(error) = take_away(path, &found)
    {
        log::warn!("cannot remove the claim, which stays until it is stale: {error}");
    }
}

/// The process that has taken the claim from its owner; none if it is still the owner's.
fn holder(path: &Path, owner: &Owner) -> io::Result<Option<String>> {
    for _ in 0..LOOKS {
        match Found::at(path)? {
            Some(found) if found.is_of(owner) => return Ok(None),
            Some(found) => return Ok(Some(found.line())),
            None => std::thread::sleep(PAUSE),
        }
    }
    Ok(Some("another process, which has ended".to_owned()))
}

/// Removes a claim if it is still the one that was found.
pub(super) fn take_away(path: &Path, found: &Found) -> io::Result<()> {
    let aside = beside(path, &Owner::this_process().nonce);
    match fs_err::rename(path, &aside) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        renamed => renamed?,
    }
    let moved = Found::at(&aside)?;
    if moved.is_some_and(|moved| !moved.is_same(found)) {
        // Another process has taken it in between. Where there are no links, one that came after it
        // loses, and notices.
        match fs_err::hard_link(&aside, path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(_) => return fs_err::rename(&aside, path),
            Ok(()) => {}
        }
    }
    fs_err::remove_file(&aside)
}

/// A file with an owner in it that is to become a claim; removed when dropped.
#[derive(Debug)]
struct Mark {
    path: PathBuf,
    owner: Owner,
    file: File,
}

impl Mark {
    fn write(claim: &Path, owner: Owner) -> io::Result<Self> {
        let path = beside(claim, &owner.nonce);
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(&path)?;
        let mut mark = Self { path, owner, file };
        mark.owner.write(&mut mark.file)?;
        Ok(mark)
    }

    /// Makes it the claim, and returns the claim's file; none if another process has it.
    fn place(&self, claim: &Path) -> io::Result<Option<File>> {
        match fs_err::hard_link(&self.path, claim) {
            Ok(()) => self.file.try_clone().map(Some),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                // A network file system may have answered to the first of two equal requests.
                let found = Found::at(claim)?;
                let is_ours = found.is_some_and(|found| found.is_of(&self.owner));
                if is_ours { self.file.try_clone().map(Some) } else { Ok(None) }
            }
            Err(_) => self.create(claim),
        }
    }

    /// The same on a file system without links. A kill in here leaves a claim without an owner, which
    /// is stale only when its time is up.
    fn create(&self, claim: &Path) -> io::Result<Option<File>> {
        let mut file = match OpenOptions::new().write(true).create_new(true).open(claim) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(None),
            opened => opened?,
        };
        if let Err(error) = self.owner.write(&mut file) {
            drop(std::fs::remove_file(claim));
            return Err(error);
        }
        Ok(Some(file))
    }
}

impl Drop for Mark {
    fn drop(&mut self) {
        drop(std::fs::remove_file(&self.path));
    }
}

/// Removes the marks that killed processes left beside a claim.
pub(super) fn sweep(claim: &Path, stale_after: Duration) -> Result<(), Error> {
    let marks: Vec<PathBuf> =
        entries(parent(claim))?.into_iter().filter(|path| is_mark(path, claim)).collect();
    if marks.is_empty() {
        return Ok(());
    }
    let own = Mark::write(claim, Owner::this_process())?;
    let now = Now::of(&own.file)?;
    for mark in marks {
        // One that cannot be read or removed harms nothing.
        let is_stale = match Found::at(&mark) {
            Ok(found) => found.is_some_and(|found| found.is_stale(&now, stale_after)),
            Err(_) => false,
        };
        if is_stale && let Err(error) = remove_file_if_there(&mark) {
            log::debug!("{error}");
        }
    }
    Ok(())
}

/// The time by the clock of the file system that a claim is on.
pub(super) fn now_in(claim: &Path) -> io::Result<Now> {
    Now::of(&Mark::write(claim, Owner::this_process())?.file)
}

/// Whether a file is a mark of a claim, or one that was taken away.
pub(super) fn is_mark(path: &Path, claim: &Path) -> bool {
    let rest =
        path.as_os_str().as_encoded_bytes().strip_prefix(claim.as_os_str().as_encoded_bytes());
    let nonce = rest.and_then(|rest| rest.strip_prefix(b"."));
    nonce.is_some_and(|nonce| std::str::from_utf8(nonce).is_ok_and(is_nonce))
}

/// `lock.claim.0123…` of `lock.claim`.
fn beside(claim: &Path, nonce: &str) -> PathBuf {
    let mut name = claim.as_os_str().to_owned();
    name.push(".");
    name.push(nonce);
    name.into()
}

#[cfg(test)]
mod tests;
