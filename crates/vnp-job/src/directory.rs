//! The directory of one job: entered, locked, cleared, rolled back.

mod removal;

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{entries, remove_file_if_there, remove_if_there};
use crate::kind::{JobKind, Start};
use crate::lock::{Lock, NotTaken, held_by};
use crate::publish::{UNPUBLISHED, parent, sync_directory};
use crate::quarantine::QUARANTINED;
use crate::spool::SPOOLED;

/// Where a job keeps its work, below its directory.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = "lock";

/// The directory of one job with its `checkpoints`, locked: as long as this lives, no other process
/// works in it.
#[derive(Debug)]
pub struct JobDirectory {
    kind: &'static JobKind,
    path: PathBuf,
    checkpoints: PathBuf,
    /// The stages of this session, which may be fewer than those of its kind.
    stages: Vec<&'static str>,
    /// Whether the directory itself, and whether everything in it, is of this session.
    created: bool,
    was_empty: bool,
    lock: Lock,
}

impl JobDirectory {
    /// Creates or enters `path` for a job with these stages, takes its lock, makes its directories
    /// durable, and removes what killed sessions were writing.
    ///
    /// [`Start::Again`] permits to enter; [`clear`](Self::clear) removes the earlier work, once the
    /// caller knows that the new job can start.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`Error::NotOurs`], [`Error::Locked`], [`Error::Io`].
    pub fn open(
        path: &Path,
        kind: &'static JobKind,
        start: Start,
        stages: Vec<&'static str>,
    ) -> Result<Self, Error> {
        fs_err::create_dir_all(parent(path))?;
        let created = match fs_err::create_dir(path) {
            Ok(()) => true,
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error.into()),
            Err(_) if path.is_dir() => false,
            Err(error) => {
                let text = format!("output directory {} is a file: choose another", path.display());
                return Err(io::Error::new(error.kind(), text).into());
            }
        };
        let checkpoints = path.join(CHECKPOINTS);
        let was_empty = created || is_empty(path)?;
        if !was_empty {
            may_enter(path, &checkpoints.join(LOCK), kind, start)?;
        }
        let opened = Self::enter(path, checkpoints, kind, stages, (created, was_empty));
        if created && opened.is_err() {
            // remove_dir refuses a directory that is not empty: nothing of value can go.
            drop(std::fs::remove_dir(path.join(CHECKPOINTS)));
            drop(std::fs::remove_dir(path));
        }
        opened
    }

    fn enter(
        path: &Path,
        checkpoints: PathBuf,
        kind: &'static JobKind,
        stages: Vec<&'static str>,
        (created, was_empty): (bool, bool),
    ) -> Result<Self, Error> {
        fs_err::create_dir_all(&checkpoints)?;
        let lock = Lock::take(&checkpoints.join(LOCK)).map_err(|error| match error {
            NotTaken::Held(holder) => Error::Locked { path: path.to_owned(), holder },
            NotTaken::Io(source) => Error::Io(source),
        })?;
        let directory =
            Self { kind, path: path.to_owned(), checkpoints, stages, created, was_empty, lock };
        for stage in &directory.stages {
            fs_err::create_dir_all(directory.stage(stage))?;
        }
        directory.sync()?;
        // Without a lock another process may be writing what looks stale.
        if directory.lock.is_exclusive() {
            directory.remove_stale()?;
        }
        Ok(directory)
    }

    /// Makes the directories themselves durable: a durable part in a directory that is lost with the
    /// power is lost too.
    fn sync(&self) -> Result<(), Error> {
        sync_directory(&self.checkpoints)?;
        sync_directory(&self.path)?;
        // A directory above need not be readable for us to work below it.
        if self.created
            && let Err(error) = sync_directory(parent(&self.path))
        {
            log::debug!("{error}");
        }
        Ok(())
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its `checkpoints`.
    #[must_use]
    pub fn checkpoints(&self) -> &Path {
        &self.checkpoints
    }

    /// The place of a result.
    #[must_use]
    pub fn result(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The directory of a stage's parts.
    #[must_use]
    pub fn stage(&self, name: &str) -> PathBuf {
        self.checkpoints.join(name)
    }

    /// The log of bad checkpoints.
    #[must_use]
    pub fn failed_checkpoints(&self) -> PathBuf {
        self.checkpoints.join(vnp_validate::FAILED_CHECKPOINTS)
    }

    /// The list of records that failed.
    #[must_use]
    pub fn failed_files(&self) -> PathBuf {
        self.checkpoints.join(vnp_validate::FAILED_FILES)
    }

    /// Removes the job's earlier results and checkpoints, and nothing else.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn clear(&self) -> Result<(), Error> {
        for name in self.kind.results {
            remove_file_if_there(&self.result(name))?;
        }
        remove_file_if_there(&self.failed_checkpoints())?;
        remove_file_if_there(&self.failed_files())?;
        for path in entries(&self.checkpoints)? {
            if self.kind.state.iter().any(|name| is_of(&path, name)) {
                remove_file_if_there(&path)?;
            }
        }
        for name in self.kind.result_directories {
            remove_if_there(&self.result(name))?;
        }
        let stages: Vec<PathBuf> = self.kind.stages.iter().map(|name| self.stage(name)).collect();
        for path in stages.iter().map(|dir| entries(dir)).collect::<Result<Vec<_>, _>>()?.concat() {
            let name = path.to_string_lossy();
            if name.ends_with(".vnp") || name.ends_with(QUARANTINED) {
                remove_file_if_there(&path)?;
            }
        }
        // Parts that came back after a loss of power would be those of another job.
        for dir in stages.iter().filter(|dir| dir.is_dir()) {
            sync_directory(dir)?;
        }
        self.sync()
    }

    /// Removes what [`open`](Self::open) created, if nothing was added since: a job that failed
    /// before it saved anything should not stand in the way of the next try.
    pub fn roll_back(self) {
        let stages: Vec<PathBuf> = self.stages.iter().map(|stage| self.stage(stage)).collect();
        let holds = |dir: &Path, count| entries(dir).is_ok_and(|found| found.len() == count);
        let untouched = stages.iter().all(|stage| holds(stage, 0))
            && holds(&self.checkpoints, stages.len() + 1)
            && (holds(&self.path, 1)
                || self.path.join("lost+found").is_dir() && holds(&self.path, 2));
        if !self.was_empty || !untouched {
            return;
        }
        for stage in stages {
            drop(std::fs::remove_dir(stage));
        }
        drop(std::fs::remove_file(self.checkpoints.join(LOCK)));
        drop(std::fs::remove_dir(&self.checkpoints));
        if self.created {
            drop(std::fs::remove_dir(&self.path));
        }
    }

    /// Removes temporaries of sessions that were killed. Safe only while the lock is held.
    fn remove_stale(&self) -> Result<(), Error> {
        let stages = self.kind.stages.iter().map(|name| self.stage(name));
        for dir in stages.chain([self.checkpoints.clone(), self.path.clone()]) {
            if dir.is_dir() {
                for removed in vnp_ckpt::sweep_stale_temporaries(&dir)? {
                    log::debug!("{} was left by a killed writer: removed", removed.display());
                }
            }
        }
        let prefixes = [UNPUBLISHED].into_iter().chain(self.kind.temporaries.iter().copied());
        for dir in [&self.path, &self.checkpoints] {
            for path in entries(dir)? {
                if prefixes.clone().any(|prefix| begins_with(&path, prefix)) {
                    remove_if_there(&path)?;
                }
            }
        }
        // Their names are not hidden: only where they are made, and only files.
        for path in entries(&self.checkpoints)? {
            if begins_with(&path, SPOOLED) && path.is_file() {
                remove_file_if_there(&path)?;
            }
        }
        Ok(())
    }
}

fn begins_with(path: &Path, prefix: &str) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(prefix))
}

/// Whether a directory holds nothing, or only what the system puts into a fresh file system.
fn is_empty(dir: &Path) -> Result<bool, Error> {
    Ok(entries(dir)?.iter().all(|path| path.ends_with("lost+found")))
}

/// Whether a directory that holds something may be worked in.
fn may_enter(path: &Path, lock: &Path, kind: &JobKind, start: Start) -> Result<(), Error> {
    if let Some(found) = (kind.stranger)(path, lock.exists()) {
        return Err(Error::NotOurs { path: path.to_owned(), found });
    }
    if start != Start::New {
        return Ok(());
    }
    // That a process is at work matters more than that the directory exists.
    Err(match held_by(lock) {
        Some(holder) => Error::Locked { path: path.to_owned(), holder },
        None => Error::OutputExists { path: path.to_owned(), job: kind.name },
    })
}

/// Whether a path is the state file `name`, or a quarantined one.
fn is_of(path: &Path, name: &str) -> bool {
    let found = path.file_name().map(|found| found.to_string_lossy()).unwrap_or_default();
    found == name || (found.starts_with(name) && found.ends_with(QUARANTINED))
}

#[cfg(test)]
mod tests;
