//! The events that a training reports while it runs.

use std::path::Path;

use crate::data::class::Class;
use crate::data::prepared::PreparationRecord;
use crate::learn::epoch::Epoch;
use crate::split::SplitCounts;

/// An event. Libraries print nothing: the caller draws the progress bar.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Event<'a> {
    /// The chunks to learn from are chosen.
    Prepared(&'a PreparationRecord),
    /// The prepared chunks of a class are embedded next.
    Embedding(Class),
    /// The embeddings are read.
    Examples {
        /// The number of examples by split, in the order of [`Split::ALL`](crate::Split::ALL).
        splits: [SplitCounts; 3],
        /// The number of ORFs that could not be embedded and are left out.
        failed: usize,
    },
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
}
