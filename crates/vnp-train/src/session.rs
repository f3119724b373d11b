//! One sitting of a training.

use std::time::Duration;

use crate::directory::TrainingDirectory;
use crate::identity::Identity;
use crate::observer::Observer;

/// What a training is given beside data and recipe.
#[derive(Clone, Copy)]
pub struct Session<'a> {
    /// Where the state is saved; held by nobody else meanwhile.
    pub directory: &'a TrainingDirectory,
    /// What the result depends on: the state of another one is not continued.
    pub identity: &'a Identity,
    /// What to do with a state that is there.
    pub start: Start,
    /// Told what happens.
    pub observer: &'a dyn Observer,
    /// The number of a signal that asks to save and end.
    pub stop: &'a dyn Fn() -> Option<usize>,
    /// Longest time between two saves within an epoch; every epoch ends with one.
    pub checkpoint_interval: Duration,
}

/// What to do with a state that is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start {
    /// There must be none.
    New,
    /// Go on from it; begin where there is none.
    Resume,
    /// As `Resume`; one that is damaged is set aside, and the training begins again.
    ForceResume,
}

/// How a training ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome<T> {
    /// It is done.
    Finished(T),
    /// A signal asked for the end; the state is saved.
    Interrupted {
        /// The signal's number.
        signal: usize,
    },
}
