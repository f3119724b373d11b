//! What every step of a training shares.

use vnp_job::{JobDirectory, Start, StopFlag};

use crate::error::Error;
use crate::event::Event;
use crate::identity::Identity;
use crate::session::Session;
use crate::train::options::TrainOptions;

/// The directory of a training, its options, and how it reports and is stopped.
pub(super) struct Context<'a> {
    pub(super) directory: &'a JobDirectory,
    pub(super) options: &'a TrainOptions,
    pub(super) observer: &'a dyn Fn(Event<'_>),
    pub(super) stop: &'a StopFlag,
}

impl Context<'_> {
    /// Whether earlier work in the directory is to be removed.
    pub(super) fn starts_again(&self) -> bool {
        self.options.start == Start::Again
    }

    /// Removes earlier work if that was asked for. Called once the new data have been read: data that
    /// cannot be learned from must not cost an earlier training.
    pub(super) fn clear(&self) -> Result<(), Error> {
        if self.starts_again() { Ok(self.directory.clear()?) } else { Ok(()) }
    }

    /// The session that learns for an identity.
    pub(super) fn session<'a>(&'a self, identity: &'a Identity) -> Session<'a> {
        Session {
            directory: self.directory,
            identity,
            on_bad_state: self.options.on_bad_state,
            observer: self.observer,
            stop: self.stop,
            checkpoint_interval: self.options.checkpoint_interval,
        }
    }
}
