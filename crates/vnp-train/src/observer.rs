//! What a training tells while it works.

use std::path::Path;

use crate::fit::Epoch;

/// What happened. Libraries print nothing: a caller draws the progress bar.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training begins or goes on.
    Started {
        /// The number of values that are learned.
        parameters: usize,
        /// At most so many epochs, those that are done included.
        epochs: usize,
        /// The epoch to go on with, from 0.
        epoch: usize,
        /// The step of it to go on with, from 0.
        step: usize,
    },
    /// A step was made.
    Step {
        /// Its epoch, from 0.
        epoch: usize,
        /// The steps of the epoch that are done, this one included.
        done: usize,
        /// The steps of the epoch.
        steps: usize,
        /// The loss before the step.
        loss: f64,
    },
    /// An epoch is done and validated.
    Epoch(&'a Epoch),
    /// The state is durable.
    Saved(&'a Path),
    /// A damaged state was set aside under this name.
    SetAside(&'a Path),
}

/// Receives a training's events, in order, on the thread that trains.
pub trait Observer {
    /// Called for each event; it should return quickly.
    fn event(&self, event: Event<'_>);
}

/// Ignores every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event<'_>) {}
}
