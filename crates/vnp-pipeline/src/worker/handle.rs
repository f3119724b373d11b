//! A worker's access to the session, which stays on another thread.

use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;
use vnp_job::parts::{Inventory, Provenance, Rows, Stage};
use vnp_job::{SaveClock, Unsaved};

use super::cancellation::{Cancellation, Ended};
use super::session::Session;
use crate::error::Error;

/// Something that the thread with the session is to do with it.
pub(super) type Request = Box<dyn FnOnce(&mut Session<'_>) + Send>;

/// A worker's handle on the session: saves, deletions and events go through it one after the other.
pub(crate) struct SessionHandle<'a> {
    requests: Sender<Request>,
    cancellation: &'a Cancellation<'a>,
    provenance: Arc<Provenance>,
    clock: SaveClock,
    /// The parts that hold rows of the window at work. No other worker adds any.
    pub(super) inventory: Inventory,
}

impl<'a> SessionHandle<'a> {
    pub(super) fn new(
        requests: Sender<Request>,
        cancellation: &'a Cancellation<'a>,
        provenance: Provenance,
        checkpoint_interval: Duration,
    ) -> Self {
        Self {
            requests,
            cancellation,
            provenance: Arc::new(provenance),
            clock: SaveClock::new(checkpoint_interval, cancellation.stop()),
            inventory: Inventory::default(),
        }
    }

    /// Ends the worker if the work was cancelled; what it computed must be saved before.
    pub(super) fn check(&self) -> Result<(), Ended> {
        if self.cancellation.is_cancelled() { Err(Ended::Cancelled) } else { Ok(()) }
    }

    /// Whether the work was cancelled, so that a slice is given up.
    pub(super) fn is_cancelled(&self) -> bool {
        self.cancellation.is_cancelled()
    }

    /// Announces rows that are not saved yet, until the result is dropped.
    pub(super) fn unsaved(&self) -> Unsaved {
        self.cancellation.stop().unsaved()
    }

    /// Whether computed rows should be saved now, before more are added to them.
    pub(super) fn is_save_due(&self) -> bool {
        self.cancellation.is_cancelled() || self.clock.is_due(self.cancellation.stop())
    }

    /// Begins another window.
    pub(super) fn begin(&mut self, window: RowRange) -> Result<(), Error> {
        self.inventory = self.ask(move |session| session.inventory.overlapping(window))?;
        Ok(())
    }

    /// Saves rows from `start` on, and returns them; they are durable then.
    pub(super) fn save(&mut self, stage: Stage, start: u64, rows: Rows) -> Result<Rows, Error> {
        let provenance = Arc::clone(&self.provenance);
        self.clock.begin(self.cancellation.stop());
        let saved = self.ask(move |session| {
            session.save(stage, start, &rows, &provenance).map(|part| (part, rows))
        })?;
        let (part, rows) = saved?;
        self.clock.saved();
        self.inventory.add(part);
        Ok(rows)
    }

    /// Reports that the window is done.
    pub(super) fn done(&self) -> Result<(), Error> {
        self.ask(|session| session.window_done())?
    }

    /// Reports which rows were computed, since when.
    pub(super) fn computed(&self, stage: Stage, rows: RowRange, began: Instant) {
        let time = began.elapsed();
        // The channel is closed only when the session's thread is unwinding.
        drop(self.requests.send(Box::new(move |session: &mut Session<'_>| {
            session.computed(stage, rows, time);
        })));
    }

    /// Has something done with the session, and waits for its result.
    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Session<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        // Without an answer the session's thread is unwinding: its panic is reported instead.
        let gone = || Error::Io(std::io::Error::other("the run's session has ended"));
        let (answer, answered) = channel();
        let request = move |session: &mut Session<'_>| drop(answer.send(what(session)));
        self.requests.send(Box::new(request)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())
    }
}
