//! The kinds of jobs, and how a session begins.

use std::path::Path;

use crate::published_directory::PublishedDirectory;

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
    /// The files that it publishes below its directory. The first is the record of the finished job,
    /// which goes first when a job starts again: without it nothing counts as finished.
    pub results: &'static [&'static str],
    /// The directories that it publishes, removed when a job starts again if all in them is its own.
    pub result_directories: &'static [PublishedDirectory],
    /// The directories of its parts, below `checkpoints`.
    pub stages: &'static [&'static str],
    /// Other files of its state, below `checkpoints`.
    pub state: &'static [&'static str],
    /// How the names of its unfinished files and directories begin, besides [`UNPUBLISHED`](crate::publish::UNPUBLISHED).
    pub temporaries: &'static [&'static str],
    /// What a directory that is not empty holds instead of a job of this kind; none if it is one.
    /// The second argument is whether it has the lock file of a job.
    pub stranger: fn(&Path, bool) -> Option<&'static str>,
}
