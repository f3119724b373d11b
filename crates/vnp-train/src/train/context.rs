//! What every step of a training shares.

use vnp_job::{JobDirectory, StopFlag};

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
