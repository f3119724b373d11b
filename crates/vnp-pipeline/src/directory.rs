use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::lock::{NotTaken, RunLock, held_by};
use crate::options::Start;
use crate::spool::STREAM;
use crate::stage::Stage;
use crate::track::{Track, stages};

/// The names of a run's files.
pub mod names {
    /// One row per frame, in the original's format.
    pub const FRAMES: &str = "prediction_results.txt";
    /// One row per chunk, in the original's format (tab-separated in spite of its name).
    pub const CONSENSUS: &str = "prediction_results_highestscore.csv";
    /// One row per input record.
    pub const SEQUENCES: &str = "sequences.tsv";
    /// One row per scored chunk, in a run that scores all chunks.
    pub const CHUNKS: &str = "chunks.tsv";
    /// Identity, settings, counts and digests.
    pub const RUN: &str = "run.json";
    /// The frames' nucleotides, written on request.
    pub const NUCLEOTIDE_FASTA: &str = "identified_nucleotide.fa";
    /// The frames' proteins, written on request.
    pub const PROTEIN_FASTA: &str = "identified_protein.faa";
}

/// Suffix of a bad part that was set aside.
pub(crate) const SET_ASIDE: &str = ".bad";
/// Prefix of results that are being written.
pub(crate) const UNPUBLISHED: &str = ".vnp-unpublished-";

const RESULTS: [&str; 7] = [
    names::RUN,
    names::FRAMES,
    names::CONSENSUS,
    names::SEQUENCES,
    names::CHUNKS,
    names::NUCLEOTIDE_FASTA,
    names::PROTEIN_FASTA,
];

/// A run's output directory, locked.
#[derive(Debug)]
pub(crate) struct OutputDirectory {
    path: PathBuf,
    checkpoints: PathBuf,
    tracks: &'static [Track],
    created: bool,
    _lock: RunLock,
}

impl OutputDirectory {
    /// Creates or enters `path` for a run with these tracks, and takes its lock.
    pub(crate) fn open(path: &Path, start: Start, tracks: &'static [Track]) -> Result<Self, Error> {
        if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
            fs_err::create_dir_all(parent)?;
        }
        let created = match fs_err::create_dir(path) {
            Ok(()) => true,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => false,
            Err(error) => return Err(error.into()),
        };
        let checkpoints = path.join("checkpoints");
        if !created {
            may_enter(path, &checkpoints.join("lock"), start)?;
        }
        let opened = Self::enter(path, checkpoints, tracks, created);
        if created && opened.is_err() {
            // remove_dir refuses a directory that is not empty: nothing of value can go.
            drop(std::fs::remove_dir(path.join("checkpoints")));
            drop(std::fs::remove_dir(path));
        }
        opened
    }

    fn enter(
        path: &Path,
        checkpoints: PathBuf,
        tracks: &'static [Track],
        created: bool,
    ) -> Result<Self, Error> {
        fs_err::create_dir_all(&checkpoints)?;
        let lock = RunLock::take(&checkpoints.join("lock")).map_err(|error| match error {
            NotTaken::Held(holder) => Error::Locked { path: path.to_owned(), holder },
            NotTaken::Io(source) => Error::Io(source),
        })?;
        let directory = Self { path: path.to_owned(), checkpoints, tracks, created, _lock: lock };
        for stage in stages(tracks) {
            fs_err::create_dir_all(directory.stage(stage))?;
        }
        directory.sync()?;
        directory.sweep()?;
        Ok(directory)
    }

    /// Brings the directories themselves to disk: a durable part in a directory that is lost with
    /// the power is lost too.
    fn sync(&self) -> Result<(), Error> {
        for dir in [&self.checkpoints, &self.path] {
            fs_err::File::open(dir)?.sync_all()?;
        }
        let parent = self.path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let parent = parent.unwrap_or(Path::new("."));
        // A directory above need not be readable for us to work below it.
        if self.created
            && let Err(error) = fs_err::File::open(parent).and_then(|dir| dir.sync_all())
        {
            log::debug!("{error}");
        }
        Ok(())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn checkpoints(&self) -> &Path {
        &self.checkpoints
    }

    pub(crate) fn result(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn stage(&self, stage: Stage) -> PathBuf {
        self.checkpoints.join(stage.name())
    }

    pub(crate) fn failed_checkpoints(&self) -> PathBuf {
        self.checkpoints.join(vnp_validate::FAILED_CHECKPOINTS)
    }

    pub(crate) fn failed_files(&self) -> PathBuf {
        self.checkpoints.join(vnp_validate::FAILED_FILES)
    }

    /// Removes this run's earlier results and checkpoints, and nothing else.
    pub(crate) fn clear(&self) -> Result<(), Error> {
        for name in RESULTS {
            remove_if_there(&self.result(name))?;
        }
        remove_if_there(&self.failed_checkpoints())?;
        remove_if_there(&self.failed_files())?;
        for dir in stages(&Track::ALL).map(|stage| self.stage(stage)) {
            for path in entries(&dir)? {
                let name = path.to_string_lossy();
                if name.ends_with(".vnp") || name.ends_with(SET_ASIDE) {
                    remove_if_there(&path)?;
                }
            }
        }
        // What comes back after a loss of power would be a run of something else.
        for dir in stages(&Track::ALL).map(|stage| self.stage(stage)).filter(|dir| dir.is_dir()) {
            fs_err::File::open(dir)?.sync_all()?;
        }
        self.sync()
    }

    /// Takes back what [`open`](Self::open) created, if nothing was added since: a run that failed
    /// before its first row should not stand in the way of the next try.
    pub(crate) fn abandon(self) {
        let stages: Vec<PathBuf> = stages(self.tracks).map(|stage| self.stage(stage)).collect();
        let is_empty = |dir: &PathBuf| entries(dir).is_ok_and(|entries| entries.is_empty());
        let holds = |dir: &Path, count| entries(dir).is_ok_and(|found| found.len() == count);
        let untouched = stages.iter().all(is_empty)
            && holds(&self.checkpoints, stages.len() + 1)
            && holds(&self.path, 1);
        if !self.created || !untouched {
            return;
        }
        for stage in stages {
            drop(std::fs::remove_dir(stage));
        }
        drop(std::fs::remove_file(self.checkpoints.join("lock")));
        drop(std::fs::remove_dir(&self.checkpoints));
        drop(std::fs::remove_dir(&self.path));
    }

    /// Removes temporaries of sessions that were killed. Safe because the lock is held.
    fn sweep(&self) -> Result<(), Error> {
        for stage in stages(&Track::ALL) {
            let dir = self.stage(stage);
            if dir.is_dir() {
                vnp_ckpt::sweep_stale_temporaries(&dir)?;
            }
        }
        for dir in [&self.path, &self.checkpoints] {
            for path in entries(dir)? {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                if name.starts_with(UNPUBLISHED) || name.starts_with(STREAM) {
                    remove_if_there(&path)?;
                }
            }
        }
        Ok(())
    }
}

/// Whether a directory that exists may be worked in.
fn may_enter(path: &Path, lock: &Path, start: Start) -> Result<(), Error> {
    if start == Start::New {
        // Who is at work matters more than that it exists.
        return Err(match held_by(lock) {
            Some(holder) => Error::Locked { path: path.to_owned(), holder },
            None => Error::OutputExists { path: path.to_owned() },
        });
    }
    // The Python tools use the same names: their results are not ours to replace.
    let is_ours = lock.exists() || path.join(names::RUN).exists();
    if is_ours || RESULTS.iter().all(|name| !path.join(name).exists()) {
        return Ok(());
    }
    Err(Error::NotARun { path: path.to_owned() })
}

/// The paths in a directory, sorted; none if there is no such directory.
pub(crate) fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
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

pub(crate) fn remove_if_there(path: &Path) -> Result<(), Error> {
    match fs_err::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path, start: Start) -> Result<OutputDirectory, Error> {
        OutputDirectory::open(path, start, &Track::ALL)
    }

    #[test]
    fn an_existing_directory_is_entered_only_when_asked() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("a/out");
        drop(open(&out, Start::New).unwrap());
        let Err(Error::OutputExists { path }) = open(&out, Start::New) else { panic!("entered") };
        assert_eq!(path, out);
        let held = open(&out, Start::Resume).unwrap();
        for start in [Start::New, Start::Resume, Start::Again] {
            let Err(Error::Locked { .. }) = open(&out, start) else { panic!("entered twice") };
        }
        drop(held);
        open(&out, Start::Again).unwrap();
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
    fn abandoning_takes_back_only_what_is_empty_and_ours() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        open(&out, Start::New).unwrap().abandon();
        assert!(!out.exists());
        open(&out, Start::New).unwrap();
        open(&out, Start::Resume).unwrap().abandon();
        assert!(out.exists());
    }

    #[test]
    fn a_run_has_the_stages_of_its_tracks() {
        let dir = tempfile::tempdir().unwrap();
        let out = dir.path().join("out");
        let frames = || OutputDirectory::open(&out, Start::Resume, &[Track::Frames]).unwrap();
        let dna_only = out.join("checkpoints/dna_only");
        frames().abandon();
        assert!(!out.exists());
        frames();
        assert!(!dna_only.exists());
        // Its parts stay while it is not asked for, and go when a run starts again.
        drop(open(&out, Start::Resume).unwrap());
        let part = dna_only.join("rows-000000000000-000000000001.vnp");
        std::fs::write(&part, "x").unwrap();
        drop(frames());
        assert!(part.exists());
        frames().clear().unwrap();
        assert!(!part.exists());
    }

    #[test]
    fn results_of_another_tool_are_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join(names::FRAMES), "theirs").unwrap();
        for start in [Start::Resume, Start::Again] {
            let Err(Error::NotARun { path }) = open(dir.path(), start) else { panic!("entered") };
            assert_eq!(path, dir.path());
        }
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
        // Only ours have a manifest, also when their checkpoints were removed to save space.
        std::fs::write(dir.path().join(names::RUN), "{}").unwrap();
        open(dir.path(), Start::Resume).unwrap();
    }

    #[test]
    fn clearing_leaves_files_that_are_not_ours() {
        let dir = tempfile::tempdir().unwrap();
        let out = open(&dir.path().join("out"), Start::New).unwrap();
        let scores = out.stage(Stage::Scores);
        std::fs::create_dir_all(&scores).unwrap();
        let ours = [out.result(names::FRAMES), scores.join("rows-0-1.vnp"), out.failed_files()];
        let theirs = [out.result("notes.txt"), scores.join("notes.txt")];
        for path in ours.iter().chain(&theirs) {
            std::fs::write(path, "x").unwrap();
        }
        out.clear().unwrap();
        assert!(ours.iter().all(|path| !path.exists()));
        assert!(theirs.iter().all(|path| path.exists()));
    }
}
