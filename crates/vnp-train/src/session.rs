//! A session: what learning needs apart from its data and recipe.

use std::time::Duration;

use vnp_job::{JobDirectory, OnBadFile, StopFlag};

use crate::event::Event;
use crate::identity::Identity;

/// What learning needs apart from its data and recipe.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The directory, opened as a [`JOB`](crate::JOB), in which the state is saved; an existing state
    /// is continued.
    pub directory: &'a JobDirectory,
    /// What the result depends on: a state of another identity is refused.
    pub identity: &'a Identity,
    /// What to do with a damaged state.
    pub on_bad_state: OnBadFile,
    /// Receives the events, in order, on the thread that trains.
    pub observer: &'a dyn Fn(Event<'_>),
    /// Asks to save and stop.
    pub stop: &'a StopFlag,
    /// The longest time between two saves within an epoch; every epoch ends with one.
    pub checkpoint_interval: Duration,
}
