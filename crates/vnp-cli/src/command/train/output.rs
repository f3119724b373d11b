//! The output directory of a training: entered, cleared and rolled back.

use std::path::{Path, PathBuf};

use anyhow::{bail, ensure};
use vnp_train::{Start, TrainingDirectory};

use crate::args::TrainArgs;

/// What a training leaves in its output directory, beside its checkpoints.
pub(super) mod names {
    pub(in super::super) const PREPARED: &str = "prepared";
    pub(in super::super) const EMBEDDINGS: &str = "embeddings";
    pub(in super::super) const BUNDLE: &str = "bundle";
    pub(in super::super) const HISTORY: &str = "history.tsv";
    pub(in super::super) const METRICS_TSV: &str = "metrics.tsv";
    pub(in super::super) const METRICS_JSON: &str = "metrics.json";
    pub(in super::super) const TRAIN: &str = "train.json";
}

const DIRECTORIES: [&str; 3] = [names::BUNDLE, names::EMBEDDINGS, names::PREPARED];
const FILES: [&str; 4] = [names::TRAIN, names::METRICS_JSON, names::METRICS_TSV, names::HISTORY];

/// How the names begin of what is being written.
pub(super) const UNPUBLISHED: &str = ".vnp-unpublished-";
const UNFINISHED: [&str; 3] = [UNPUBLISHED, ".vnp-bundle-", ".vnp-prepared-"];

/// The output directory, held by this process.
pub(super) struct Output {
    directory: TrainingDirectory,
    start: Start,
    created: bool,
}

impl Output {
    /// Makes or enters the directory; `--force` removes what an earlier training left, and nothing
    /// else.
    pub(super) fn enter(args: &TrainArgs) -> anyhow::Result<Self> {
        let path = &args.output_dir;
        let created = !path.exists();
        let start = match (args.force_resume, args.resume) {
            (true, _) => Start::ForceResume,
            (false, true) => Start::Resume,
            (false, false) => Start::New,
        };
        if !created {
            may_enter(path, start != Start::New || args.force)?;
        }
        let output = Self { directory: TrainingDirectory::open(path)?, start, created };
        if args.force {
            output.clear()?;
        }
        output.sweep()?;
        Ok(output)
    }

    pub(super) fn directory(&self) -> &TrainingDirectory {
        &self.directory
    }

    pub(super) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(super) fn start(&self) -> Start {
        self.start
    }

    /// Takes back what [`enter`](Self::enter) made, if nothing was added since: a training that
    /// failed before its first step should not stand in the way of the next try.
    pub(super) fn abandon(self) {
        let path = self.path().to_owned();
        let checkpoints = path.join("checkpoints");
        let count = |directory: &Path| std::fs::read_dir(directory).map_or(0, Iterator::count);
        if self.created && count(&path) == 1 && count(&checkpoints) == 1 {
            // Neither removes a directory that holds something after all.
            drop(std::fs::remove_file(checkpoints.join("lock")));
            drop(std::fs::remove_dir(&checkpoints));
            drop(std::fs::remove_dir(&path));
        }
    }

    fn clear(&self) -> anyhow::Result<()> {
        // The record first: without it nothing counts as finished.
        for name in FILES {
            remove(&self.path().join(name))?;
        }
        let state = self.directory.state();
        let mut set_aside = state.clone().into_os_string();
        set_aside.push(".bad");
        remove(&state)?;
        remove(&PathBuf::from(set_aside))?;
        for name in DIRECTORIES {
            remove(&self.path().join(name))?;
        }
        Ok(())
    }

    /// Removes what killed sessions were writing.
    fn sweep(&self) -> anyhow::Result<()> {
        for entry in fs_err::read_dir(self.path())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            if UNFINISHED.iter().any(|prefix| name.starts_with(prefix)) {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// Whether a directory that exists may be worked in.
fn may_enter(path: &Path, is_asked_for: bool) -> anyhow::Result<()> {
    ensure!(path.is_dir(), "{} is no directory: choose another -o", path.display());
    let is_empty = fs_err::read_dir(path)?.next().is_none();
    if is_empty {
        return Ok(());
    }
    if path.join("run.json").exists() || path.join("checkpoints/scores").exists() {
        bail!("{} holds a run of vnp predict: choose another directory", path.display());
    }
    let ours = [names::TRAIN, names::PREPARED, "checkpoints/lock"];
    if !ours.iter().any(|name| path.join(name).exists()) {
        bail!("{} holds what no vnp train wrote: choose another directory", path.display());
    }
    ensure!(
        is_asked_for,
        "output directory {} exists: continue its training with --resume, or start again with --force",
        path.display()
    );
    Ok(())
}

fn remove(path: &Path) -> anyhow::Result<()> {
    let removed = match path.is_dir() {
        true => fs_err::remove_dir_all(path),
        false => fs_err::remove_file(path),
    };
    match removed {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
