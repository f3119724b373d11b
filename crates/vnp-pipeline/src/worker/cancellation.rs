//! When every worker should save what it has and end.

use std::sync::atomic::{AtomicBool, Ordering};

use vnp_job::StopFlag;

use crate::error::Error;

/// Cancels the work of a pool: a stop was requested, or one of its workers failed.
#[derive(Debug)]
pub(super) struct Cancellation<'a> {
    stop: &'a StopFlag,
    failed: AtomicBool,
}

/// Why a worker ended before its last window. What it had computed is saved.
#[derive(Debug)]
pub(crate) enum Ended {
    /// The work was cancelled.
    Cancelled,
    /// The worker failed.
    Failed(Error),
}

impl<E: Into<Error>> From<E> for Ended {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}

impl<'a> Cancellation<'a> {
    pub(super) fn new(stop: &'a StopFlag) -> Self {
        Self { stop, failed: AtomicBool::new(false) }
    }

    /// Reports that one worker has failed, so that the others need not go on.
    pub(super) fn worker_failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.requested().is_some() || self.failed.load(Ordering::Relaxed)
    }

    /// The flag by which stops and saves are asked for.
    pub(super) fn stop(&self) -> &StopFlag {
        self.stop
    }
}
