//! The lock that keeps a second process out of a job's directory.
//!
//! Where the file system has locks it is the system's lock on the file `lock`; elsewhere it is the file
//! `lock.claim` beside it ([`claim`]). Two machines may see one file system differently, so each side
//! respects the other: the holder of the system's lock writes `lock` every minute and looks for a claim,
//! and whoever claims reads `lock` as if it were a claim. Both write first and look then.

pub(crate) mod claim;
mod found;
mod heartbeat;
mod owner;
mod process;
mod system;

use std::fs::TryLockError;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Once;

use fs_err::File;

use crate::publish::parent;
use claim::{Claim, NotTaken, STALE_AFTER, now_in, sweep, take_away};
use found::Found;
use system::{Attempt, SystemLock};
use vnp_escape::escaped_path;

/// An exclusive lock on a job's directory, held until dropped.
#[derive(Debug)]
pub(crate) struct Lock {
    path: PathBuf,
    held: Held,
}

#[derive(Debug)]
enum Held {
    System(SystemLock),
    Claim(Claim),
}

impl Lock {
    /// Takes the lock at a path, or reports who holds it.
    pub(crate) fn take(path: &Path) -> Result<Self, NotTaken> {
        Self::take_with(path, |file| file.file().try_lock())
    }

    /// [`take`](Self::take) with the system's locking call as an argument.
    fn take_with(
        path: &Path,
        try_lock: impl Fn(&File) -> Result<(), TryLockError>,
    ) -> Result<Self, NotTaken> {
        let claim = claim_of(path);
        let held = {
            let claim = claim.clone();
            SystemLock::take(path, try_lock, move || claimed_by(&claim, true))?
        };
        let held = match held {
            Attempt::Taken(lock) => Held::System(lock),
            Attempt::NoLocks(reason) => {
                let held = Claim::take(&claim, STALE_AFTER)?;
                if let Some(holder) = locked_by(path)? {
                    return Err(NotTaken::Held(holder));
                }
                warn_once(path, &reason);
                Held::Claim(held)
            }
        };
        // Safe now: whoever still waits for the lock does not need them.
        sweep(&claim, STALE_AFTER).map_err(io::Error::other)?;
        Ok(Self { path: path.to_owned(), held })
    }

    /// Checks that the lock is still this process's.
    pub(crate) fn check(&self) -> Result<(), NotTaken> {
        match &self.held {
            Held::System(lock) if lock.is_lost() => {
                let holder = claimed_by(&claim_of(&self.path), false)?;
                Err(NotTaken::Held(holder.unwrap_or_else(|| "another process".to_owned())))
            }
            Held::System(_) => Ok(()),
            Held::Claim(claim) => claim.check(),
        }
    }

    /// Removes the lock's files, as with the directory that they lie in.
    pub(crate) fn remove(self) {
        let Self { path, held } = self;
        drop(std::fs::remove_file(path));
        drop(held);
    }
}

/// The holder of the lock at `path`, if a process holds it; nothing is changed.
pub(crate) fn held_by(path: &Path) -> Option<String> {
    let claimed = claimed_by(&claim_of(path), false).ok().flatten();
    claimed.or_else(|| match system::held_by(path) {
        Ok(holder) => holder,
        Err(_) => {
            let found = Found::at(path).ok().flatten().filter(|found| !found.is_empty())?;
            let now = now_in(&claim_of(path)).ok()?;
            (!found.is_stale(&now, STALE_AFTER)).then(|| found.line())
        }
    })
}

/// Whether a file is one that [`Lock::take`] would take for a lock.
pub(crate) fn is_lock(path: &Path) -> bool {
    path.symlink_metadata().is_ok_and(|metadata| metadata.is_file())
        && match Found::at(path) {
            Ok(found) => found.is_some_and(|found| found.is_ours()),
            // Taking it will give the reason.
            Err(_) => true,
        }
}

/// Whether a file belongs to the lock at `lock`.
pub(crate) fn is_of_lock(path: &Path, lock: &Path) -> bool {
    let claim = claim_of(lock);
    path == lock || path == claim || claim::is_mark(path, &claim)
}

/// `lock.claim` of `lock`.
fn claim_of(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".claim");
    name.into()
}

/// The process that holds a claim, if one does; a stale claim is removed if asked for.
fn claimed_by(claim: &Path, may_remove: bool) -> Result<Option<String>, NotTaken> {
    let Some(found) = Found::at(claim)? else { return Ok(None) };
    if !found.is_stale(&now_in(claim)?, STALE_AFTER) {
        return Ok(Some(found.line()));
    }
    if may_remove {
        take_away(claim, &found)?;
    }
    Ok(None)
}

/// For the holder of the claim: the process on another machine that holds the system's lock. What one
/// that has ended wrote is removed.
fn locked_by(path: &Path) -> Result<Option<String>, NotTaken> {
    let Some(found) = Found::at(path)?.filter(|found| !found.is_empty()) else { return Ok(None) };
    if !found.is_stale(&now_in(&claim_of(path))?, STALE_AFTER) {
        return Ok(Some(found.line()));
    }
    fs_err::OpenOptions::new().write(true).open(path)?.set_len(0)?;
    Ok(None)
}

fn warn_once(path: &Path, reason: &io::Error) {
    static WARNED: Once = Once::new();
    WARNED.call_once(|| {
        log::warn!(
            "{}: this file system has no locks ({reason}): the file {} keeps other processes out \
             instead. It is weaker: after a crash on another machine the directory stays in use for \
             up to 10 minutes, and a process that stalls for longer than that may lose it",
            escaped_path(parent(path)),
            escaped_path(claim_of(path).file_name().unwrap_or_default())
        );
    });
}

#[cfg(test)]
mod tests;
