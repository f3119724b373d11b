//! A session: what a training needs apart from its data and recipe, and how it ends.

use std::time::Duration;

use crate::directory::TrainingDirectory;
use crate::identity::Identity;
use crate::observer::Observer;

/// What a training needs apart from its data and recipe.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// The directory in which the state is saved.
    pub directory: &'a TrainingDirectory,
    /// What the result depends on: a state of another identity is not continued.
    pub identity: &'a Identity,
    /// What to do with an existing state.
    pub start: Start,
    /// Receives the events.
    pub observer: &'a dyn Observer,
    /// Returns the number of a signal that asks to save and stop.
    pub stop: &'a dyn Fn() -> Option<usize>,
    /// The longest time between two saves within an epoch; every epoch ends with one.
    pub checkpoint_interval: Duration,
}

/// What to do with an existing state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// Refuse it.
    New,
    /// Continue from it; begin where there is none.
    Resume,
    /// As `Resume`; a damaged one is quarantined, and the training begins again.
    ForceResume,
}

/// How a training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    /// It is complete.
    Finished(T),
    /// A signal asked for the stop; the state is saved.
    Interrupted {
        /// The signal's number.
        signal: usize,
    },
}
