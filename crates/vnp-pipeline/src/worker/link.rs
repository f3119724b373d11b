use std::sync::Arc;
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;

use super::halt::Halt;
use super::session::Session;
use crate::error::Error;
use crate::part::{Provenance, Rows};
use crate::resume::Inventory;
use crate::stage::Stage;

/// Something to be done with the session by the thread that has it.
pub(super) type Request = Box<dyn FnOnce(&mut Session<'_>) + Send>;

/// A worker's line to the session: saves, deletions and events go over it one after the other.
pub(crate) struct Link<'a> {
    requests: Sender<Request>,
    halt: &'a Halt<'a>,
    provenance: Arc<Provenance>,
    checkpoint_interval: Duration,
    last_saved: Instant,
    /// The parts that hold rows of the window at work. Nobody else adds any.
    pub(super) inventory: Inventory,
}

impl<'a> Link<'a> {
    pub(super) fn new(
        requests: Sender<Request>,
        halt: &'a Halt<'a>,
        provenance: Provenance,
        checkpoint_interval: Duration,
    ) -> Self {
        Self {
            requests,
            halt,
            provenance: Arc::new(provenance),
            checkpoint_interval,
            last_saved: Instant::now(),
            inventory: Inventory::default(),
        }
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.halt.is_asked()
    }

    /// Whether what is computed should be saved now, before more is added to it.
    pub(super) fn is_save_due(&self) -> bool {
        self.is_stopped() || self.last_saved.elapsed() >= self.checkpoint_interval
    }

    /// Turns to another window.
    pub(super) fn begin(&mut self, window: RowRange) -> Result<(), Error> {
        self.inventory = self.ask(move |session| session.inventory.overlapping(window))?;
        Ok(())
    }

    /// Saves rows from `start` on, and gives them back; they are durable then.
    pub(super) fn save(&mut self, stage: Stage, start: u64, rows: Rows) -> Result<Rows, Error> {
        let provenance = Arc::clone(&self.provenance);
        let saved = self.ask(move |session| {
            session.save(stage, start, &rows, &provenance).map(|part| (part, rows))
        })?;
        let (part, rows) = saved?;
        self.last_saved = Instant::now();
        self.inventory.add(part);
        Ok(rows)
    }

    /// Says that the window is done.
    pub(super) fn done(&self) -> Result<(), Error> {
        self.ask(|session| session.window_done())?
    }

    /// Says what was computed: rows of so many letters.
    pub(super) fn computed(&self, stage: Stage, rows: RowRange, letters: u64, began: Instant) {
        let time = began.elapsed();
        // Nobody listens only when the session's thread is unwinding.
        drop(self.requests.send(Box::new(move |session: &mut Session<'_>| {
            session.computed(stage, rows, letters, time);
        })));
    }

    /// Has something done with the session, and waits for what comes of it.
    fn ask<T: Send + 'static>(
        &self,
        what: impl FnOnce(&mut Session<'_>) -> T + Send + 'static,
    ) -> Result<T, Error> {
        // Where nobody answers, the session's thread is unwinding: its panic is what counts.
        let gone = || Error::Io(std::io::Error::other("the run's session has ended"));
        let (answer, answered) = channel();
        let request = move |session: &mut Session<'_>| drop(answer.send(what(session)));
        self.requests.send(Box::new(request)).map_err(|_| gone())?;
        answered.recv().map_err(|_| gone())
    }
}
