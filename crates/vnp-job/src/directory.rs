//! The directory of one job: entered, locked, cleared, rolled back.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::lock::{Lock, NotTaken, held_by};
use crate::publish::{UNPUBLISHED, parent, sync_directory};
use crate::quarantine::QUARANTINED;
use crate::spool::SPOOLED;

/// Where a job keeps its work, below its directory.
pub(crate) const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = "lock";

/// What to do with an output directory that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Refuse it, unless it is empty.
    New,
    /// Continue the job in it, or start one where there is none.
    Resume,
    /// Remove the job's earlier results and checkpoints and start again.
    Again,
}

/// What to do with a checkpoint of an earlier session that is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBadFile {
    /// Stop before anything is computed.
    Refuse,
    /// Record it, quarantine it as `NAME.bad` and compute its work again.
    Recompute,
}

/// A kind of job: what its files are called.
#[derive(Debug)]
pub struct JobKind {
    /// The word for it in messages: `run`, `training`.
    pub name: &'static str,
    /// What it publishes below its directory, files or directories. The first is the record of the
    /// finished job, which goes first when a job starts again: without it nothing counts as finished.
    pub results: &'static [&'static str],
    /// The directories of its parts, below `checkpoints`.
    pub stages: &'static [&'static str],
    /// Other files of its state, below `checkpoints`.
    pub state: &'static [&'static str],
    /// How the names of its unfinished files and directories begin, beside [`UNPUBLISHED`].
    pub temporaries: &'static [&'static str],
    /// What a directory that is not empty holds instead of a job of this kind; none if it is one.
    pub stranger: fn(&Path) -> Option<&'static str>,
}

/// The directory of one job with its `checkpoints`, locked: as long as this lives, no other process
/// works in it.
#[derive(Debug)]
pub struct JobDirectory {
    kind: &'static JobKind,
    path: PathBuf,
    checkpoints: PathBuf,
    /// The stages of this session, which may be fewer than those of its kind.
    stages: Vec<&'static str>,
    created: bool,
    _lock: Lock,
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
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => false,
            Err(error) => return Err(error.into()),
        };
        let checkpoints = path.join(CHECKPOINTS);
        if !created {
            may_enter(path, &checkpoints.join(LOCK), kind, start)?;
        }
        let opened = Self::enter(path, checkpoints, kind, stages, created);
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
        created: bool,
    ) -> Result<Self, Error> {
        fs_err::create_dir_all(&checkpoints)?;
        let lock = Lock::take(&checkpoints.join(LOCK)).map_err(|error| match error {
            NotTaken::Held(holder) => Error::Locked { path: path.to_owned(), holder },
            NotTaken::Io(source) => Error::Io(source),
        })?;
        let directory =
            Self { kind, path: path.to_owned(), checkpoints, stages, created, _lock: lock };
        for stage in &directory.stages {
            fs_err::create_dir_all(directory.stage(stage))?;
        }
        directory.sync()?;
        directory.remove_stale()?;
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
            remove_if_there(&self.result(name))?;
        }
        remove_if_there(&self.failed_checkpoints())?;
        remove_if_there(&self.failed_files())?;
        for path in entries(&self.checkpoints)? {
            if self.kind.state.iter().any(|name| is_of(&path, name)) {
                remove_if_there(&path)?;
            }
        }
        let stages: Vec<PathBuf> = self.kind.stages.iter().map(|name| self.stage(name)).collect();
        for path in stages.iter().map(|dir| entries(dir)).collect::<Result<Vec<_>, _>>()?.concat() {
            let name = path.to_string_lossy();
            if name.ends_with(".vnp") || name.ends_with(QUARANTINED) {
                remove_if_there(&path)?;
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
            && holds(&self.path, 1);
        if !self.created || !untouched {
            return;
        }
        for stage in stages {
            drop(std::fs::remove_dir(stage));
        }
        drop(std::fs::remove_file(self.checkpoints.join(LOCK)));
        drop(std::fs::remove_dir(&self.checkpoints));
        drop(std::fs::remove_dir(&self.path));
    }

    /// Removes temporaries of sessions that were killed. Safe because the lock is held.
    fn remove_stale(&self) -> Result<(), Error> {
        let stages = self.kind.stages.iter().map(|name| self.stage(name));
        for dir in stages.chain([self.checkpoints.clone(), self.path.clone()]) {
            if dir.is_dir() {
                for removed in vnp_ckpt::sweep_stale_temporaries(&dir)? {
                    log::debug!("{} was left by a killed writer: removed", removed.display());
                }
            }
        }
        let prefixes =
            [UNPUBLISHED, SPOOLED].into_iter().chain(self.kind.temporaries.iter().copied());
        for dir in [&self.path, &self.checkpoints] {
            for path in entries(dir)? {
                let name = path.file_name().map(|name| name.to_string_lossy());
                let is_stale = |name: &str| prefixes.clone().any(|prefix| name.starts_with(prefix));
                if name.is_some_and(|name| is_stale(&name)) {
                    remove_if_there(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a directory that exists may be worked in.
fn may_enter(path: &Path, lock: &Path, kind: &JobKind, start: Start) -> Result<(), Error> {
    if entries(path)?.is_empty() {
        return Ok(());
    }
    if let Some(found) = (kind.stranger)(path) {
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

/// The paths in a directory, sorted; none if there is no such directory.
///
/// # Errors
/// [`Error::Io`]
pub fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let listing = match fs_err::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut paths =
        listing.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Removes a file, or a directory with all that it holds, if it exists.
///
/// # Errors
/// [`Error::Io`]
pub fn remove_if_there(path: &Path) -> Result<(), Error> {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => fs_err::remove_dir_all(path),
        false => fs_err::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    static KIND: JobKind = JobKind {
        name: "run",
        results: &["run.json", "table.tsv"],
        stages: &["one", "two"],
        state: &["state.vnp"],
        temporaries: &[".half-"],
        stranger: |path| {
            let ours = path.join("checkpoints/lock").exists() || path.join("run.json").exists();
            (!ours && path.join("table.tsv").exists()).then_some("a table")
        },
    };

    fn open(path: &Path, start: Start) -> Result<JobDirectory, Error> {
        JobDirectory::open(path, &KIND, start, vec!["one", "two"])
    }

    #[test]
    fn an_existing_directory_is_entered_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a/out");
        drop(open(&out, Start::New).unwrap());
        let Err(Error::OutputExists { path, .. }) = open(&out, Start::New) else {
            panic!("entered")
        };
        assert_eq!(path, out);
        let held = open(&out, Start::Resume).unwrap();
        for start in [Start::New, Start::Resume, Start::Again] {
            let Err(Error::Locked { path, holder }) = open(&out, start) else {
                panic!("entered twice")
            };
            assert_eq!(path, out);
            assert!(holder.starts_with("process "), "{holder}");
        }
        drop(held);
        open(&out, Start::Again).unwrap();
    }

    #[test]
    fn an_empty_directory_may_be_given() {
        let dir = tempfile::tempdir().unwrap();
        let opened = open(dir.path(), Start::New).unwrap();
        opened.roll_back();
        assert!(dir.path().exists());
    }

    #[test]
    fn a_file_in_the_way_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        std::fs::write(&out, "mine").unwrap();
        let Err(Error::Io(error)) = open(&out, Start::Again) else { panic!("entered") };
        assert!(error.to_string().contains(&*out.to_string_lossy()), "{error}");
        assert_eq!(std::fs::read(&out).unwrap(), b"mine");
    }

    #[test]
    fn rolling_back_removes_only_what_is_empty_and_ours() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        open(&out, Start::New).unwrap().roll_back();
        assert!(!out.exists());
        open(&out, Start::New).unwrap();
        open(&out, Start::Resume).unwrap().roll_back();
        assert!(out.exists());
    }

    #[test]
    fn a_session_has_its_own_stages_and_clears_those_of_its_kind() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let first = || JobDirectory::open(&out, &KIND, Start::Resume, vec!["one"]).unwrap();
        let second = out.join("checkpoints/two");
        first().roll_back();
        assert!(!out.exists());
        first();
        assert!(!second.exists());
        // The parts of a stage stay while it is not asked for, and go when the job starts again.
        drop(open(&out, Start::Resume).unwrap());
        let part = second.join("rows-000000000000-000000000001.vnp");
        std::fs::write(&part, "x").unwrap();
        drop(first());
        assert!(part.exists());
        first().clear().unwrap();
        assert!(!part.exists());
    }

    #[test]
    fn results_of_another_tool_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("table.tsv"), "theirs").unwrap();
        for start in [Start::New, Start::Resume, Start::Again] {
            let Err(Error::NotOurs { path, .. }) = open(dir.path(), start) else {
                panic!("entered")
            };
            assert_eq!(path, dir.path());
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        // Only ours have a record, also when their checkpoints were removed to save space.
        std::fs::write(dir.path().join("run.json"), "{}").unwrap();
        open(dir.path(), Start::Resume).unwrap();
    }

    #[test]
    fn clearing_leaves_files_that_are_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let out = open(&dir.path().join("out"), Start::New).unwrap();
        let stage = out.stage("one");
        let ours = [
            out.result("table.tsv"),
            stage.join("rows-0-1.vnp"),
            out.failed_files(),
            out.checkpoints().join("state.vnp"),
            out.checkpoints().join("state.vnp.2.bad"),
        ];
        let theirs = [out.result("notes.txt"), stage.join("notes.txt")];
        for path in ours.iter().chain(&theirs) {
            std::fs::write(path, "x").unwrap();
        }
        out.clear().unwrap();
        assert!(ours.iter().all(|path| !path.exists()));
        assert!(theirs.iter().all(|path| path.exists()));
    }

    #[test]
    fn what_a_killed_session_was_writing_goes_when_the_next_one_enters() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        drop(open(&out, Start::New).unwrap());
        let stale = [".vnp-unpublished-x", ".half-x", "checkpoints/standard-input-x"];
        for name in stale {
            std::fs::write(out.join(name), "x").unwrap();
        }
        std::fs::write(out.join("notes.txt"), "x").unwrap();
        open(&out, Start::Resume).unwrap();
        assert!(stale.iter().all(|name| !out.join(name).exists()));
        assert!(out.join("notes.txt").exists());
    }
}
