//! The events that a training reports while it runs.

use std::path::Path;

use crate::learn::epoch::Epoch;

/// An event. Libraries print nothing: the caller draws the progress bar.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// Training begins or resumes.
    Started {
        /// The number of values that are learned.
        parameters: usize,
        /// The largest number of epochs, completed ones included.
        epochs: usize,
        /// The epoch to continue with, from 0.
        epoch: usize,
        /// The step of that epoch to continue with, from 0.
        step: usize,
    },
    /// A step is complete.
    Step {
        /// The epoch of the step, from 0.
        epoch: usize,
        /// The completed steps of the epoch, this one included.
        done: usize,
        /// The number of steps of the epoch.
        steps: usize,
        /// The loss before the step.
        loss: f64,
    },
    /// An epoch is complete and validated.
    Epoch(&'a Epoch),
    /// The state was saved durably in this file.
    Saved(&'a Path),
    /// A damaged state was quarantined under this name.
    Quarantined(&'a Path),
}

/// Receives a training's events, in order, on the thread that trains.
pub trait Observer {
    /// Called for each event; it should return quickly.
    fn event(&self, event: Event<'_>);
}

/// An observer that ignores every event.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event<'_>) {}
}
