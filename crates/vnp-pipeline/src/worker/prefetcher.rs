//! Reading windows of rows ahead of the workers, and the queue in which they wait.

use std::sync::mpsc::{Receiver, SyncSender};
use std::sync::{Mutex, PoisonError};

use vnp_ckpt::RowRange;
use vnp_seq::FrameReader;

use super::cancellation::Cancellation;
use crate::error::Error;
use crate::row::Row;

/// A window with its rows.
pub(super) struct Job<R> {
    pub(super) window: RowRange,
    pub(super) rows: Vec<R>,
}

/// The windows that wait for a worker.
pub(super) struct Queue<R>(pub(super) Mutex<Receiver<Job<R>>>);

impl<R> Queue<R> {
    /// The next window; none when there are no more.
    pub(super) fn next(&self) -> Option<Job<R>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
    }
}

/// Reads the rows of windows ahead of the workers that compute them.
pub(super) struct Prefetcher<'a> {
    pub(super) reader: FrameReader,
    /// Ascending, disjoint.
    pub(super) windows: &'a [RowRange],
    pub(super) cancellation: &'a Cancellation<'a>,
}

impl Prefetcher<'_> {
    /// Hands over window after window, until the last one, a cancellation, or until no worker is
    /// left to take them.
    ///
    /// One window is read while no worker asks for it; `jobs` may hold others.
    pub(super) fn run<R: Row>(mut self, jobs: &SyncSender<Job<R>>) -> Result<(), Error> {
        let mut windows = self.windows.iter().copied();
        let Some(mut window) = windows.next() else { return Ok(()) };
        let mut rows: Vec<R> = Vec::new();
        let mut next = 0_u64;
        while let Some(block) = self.reader.next_block()? {
            for row in R::of_block(block) {
                let at = next;
                next += 1;
                if at < window.start {
                    continue;
                }
                rows.push(row);
                if next < window.end {
                    continue;
                }
                if jobs.send(Job { window, rows: std::mem::take(&mut rows) }).is_err() {
                    return Ok(());
                }
                let Some(following) = windows.next() else { return Ok(()) };
                window = following;
            }
            if self.cancellation.is_cancelled() {
                return Ok(());
            }
        }
        Err(Error::InputChanged { found: format!("it ended after {next} rows") })
    }
}
