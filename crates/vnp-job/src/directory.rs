//! The directory of one job: entered, locked, cleared, rolled back.

pub(crate) mod contents;
pub(crate) mod place;
mod removal;
mod vanished;

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::{entries, remove_file_if_there};
use crate::kind::{JobKind, Start};
use crate::lock::claim::NotTaken;
use crate::lock::{Lock, held_by, is_lock, is_of_lock};
use crate::part_name::is_part_or_quarantined;
use crate::publish::{parent, sync_directory};
use crate::quarantine::{QUARANTINED, quarantine};
use contents::{LOCK, holds_nothing_but, holds_nothing_but_the_lock, is_of, remove_stale};
use place::{refuse_all_but_a_file, refuse_link, refuse_special};
use vnp_escape::escaped_path;

/// Where a job keeps its work, below its directory.
pub(crate) const CHECKPOINTS: &str = "checkpoints";

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
    /// [`Error::OutputExists`], [`Error::NotOurs`], [`Error::Foreign`], [`Error::NotAPlace`],
    /// [`Error::Locked`], [`Error::Io`].
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
                let what = if path.is_symlink() { "link to nothing" } else { "file" };
                let path = escaped_path(path);
                let text = format!("output directory {path} is a {what}: choose another");
                return Err(io::Error::new(error.kind(), text).into());
            }
        };
        let checkpoints = path.join(CHECKPOINTS);
        // Of a try that failed or was killed before it saved anything, a lock is left.
        let was_empty = created
            || holds_nothing_but(path, &[CHECKPOINTS])?
                && (!checkpoints.is_dir() || holds_nothing_but_the_lock(&checkpoints)?);
        // Before anything is read: a pipe of such a name has no end.
        refuse_places(path, &checkpoints, kind)?;
        if !was_empty {
            may_enter(path, &checkpoints.join(LOCK), kind, start)?;
        }
        if start == Start::Again {
            // Hours before they would be removed.
            for published in kind.result_directories {
                published.check(&path.join(published.name))?;
            }
        }
        let opened = Self::enter(path, checkpoints, kind, stages, (created, was_empty));
        let opened = opened.and_then(|directory| directory.check_new(start));
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
        remove_stale(&directory.path, &directory.checkpoints, kind)?;
        Ok(directory)
    }

    /// Checks again that a new job's directory is empty, now that no other process can change that: one
    /// may have come and gone before the lock was taken.
    fn check_new(self, start: Start) -> Result<Self, Error> {
        let is_empty = holds_nothing_but(&self.path, &[CHECKPOINTS])?
            && holds_nothing_but_the_lock(&self.checkpoints)?;
        match start == Start::New && !is_empty {
            true => Err(Error::OutputExists { path: self.path, job: self.kind.name }),
            false => Ok(self),
        }
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

    /// Checks that no other process has taken the directory over, as one may on a file system without
    /// locks: to be called before anything is saved.
    ///
    /// # Errors
    /// [`Error::LockLost`], [`Error::Io`].
    pub fn check_lock(&self) -> Result<(), Error> {
        self.lock.check().map_err(|error| match error {
            NotTaken::Held(holder) => Error::LockLost { path: self.path.clone(), holder },
            NotTaken::Io(source) => Error::Io(source),
        })
    }

    /// Removes the job's earlier results and checkpoints, and nothing else.
    ///
    /// # Errors
    /// [`Error::Foreign`] for a directory of results that holds something else, before anything is
    /// removed; [`Error::LockLost`], [`Error::Io`].
    pub fn clear(&self) -> Result<(), Error> {
        self.check_lock()?;
        for published in self.kind.result_directories {
            published.check(&self.result(published.name))?;
        }
        for name in self.kind.results {
            remove_file_if_there(&self.result(name))?;
        }
        remove_file_if_there(&self.failed_checkpoints())?;
        remove_file_if_there(&self.failed_files())?;
        self.remove_state()?;
        for published in self.kind.result_directories {
            published.remove(&self.result(published.name))?;
        }
        let stages: Vec<PathBuf> = self.kind.stages.iter().map(|name| self.stage(name)).collect();
        for path in stages.iter().map(|dir| entries(dir)).collect::<Result<Vec<_>, _>>()?.concat() {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            match (is_part_or_quarantined(&name), path.is_dir()) {
                (true, false) => remove_file_if_there(&path)?,
                // A directory is not a part, but stands where one may be written.
                (true, true) if !name.ends_with(QUARANTINED) => drop(quarantine(&path)?),
                _ => {}
            }
        }
        // Parts that came back after a loss of power would be those of another job.
        for dir in stages.iter().filter(|dir| dir.is_dir()) {
            sync_directory(dir)?;
        }
        self.sync()
    }

    fn remove_state(&self) -> Result<(), Error> {
        for path in entries(&self.checkpoints)? {
            if self.kind.state.iter().any(|name| is_of(&path, name)) {
                remove_file_if_there(&path)?;
            }
        }
        Ok(())
    }

    /// Removes what [`open`](Self::open) created, if nothing was added since: a job that failed
    /// before it saved anything should not stand in the way of the next try.
    pub fn roll_back(self) {
        let stages: Vec<PathBuf> = self.stages.iter().map(|stage| self.stage(stage)).collect();
        let lock = self.checkpoints.join(LOCK);
        let is_expected = |path: &PathBuf| stages.contains(path) || is_of_lock(path, &lock);
        let is_untouched = stages.iter().all(|stage| entries(stage).is_ok_and(|e| e.is_empty()))
            && entries(&self.checkpoints).is_ok_and(|found| found.iter().all(is_expected))
            && holds_nothing_but(&self.path, &[CHECKPOINTS]).unwrap_or(false);
        if !self.was_empty || !is_untouched || self.check_lock().is_err() {
            return;
        }
        // remove_dir refuses a directory that is not empty: nothing of value can go.
        for stage in stages {
            drop(std::fs::remove_dir(stage));
        }
        self.lock.remove();
        drop(std::fs::remove_dir(&self.checkpoints));
        if self.created {
            drop(std::fs::remove_dir(&self.path));
        }
    }
}

/// Refuses a directory in which something leads elsewhere that is written, hours before it would be.
fn refuse_places(path: &Path, checkpoints: &Path, kind: &JobKind) -> Result<(), Error> {
    refuse_link(checkpoints)?;
    let below = kind.stages.iter().map(|name| checkpoints.join(name));
    let published = kind.result_directories.iter().map(|published| path.join(published.name));
    below.chain(published).try_for_each(|place| refuse_link(&place))?;
    kind.results.iter().try_for_each(|name| refuse_special(&path.join(name)))?;
    let logs = [vnp_validate::FAILED_CHECKPOINTS, vnp_validate::FAILED_FILES];
    let files = logs.iter().chain(kind.state);
    files.map(|name| checkpoints.join(name)).try_for_each(|path| refuse_all_but_a_file(&path))
}

/// Whether a directory that holds something may be worked in.
fn may_enter(path: &Path, lock: &Path, kind: &JobKind, start: Start) -> Result<(), Error> {
    if let Some(found) = (kind.stranger)(path, is_lock(lock)) {
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

#[cfg(test)]
mod tests;
