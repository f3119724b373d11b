//! The loop: steps, validation, early stop, best weights, saves.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::learner::Learner;
use crate::schedule::Schedule;
use crate::session::{Outcome, Session};
use crate::snapshot::Snapshot;

/// What became of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// From 0.
    pub epoch: usize,
    /// The learning rate of its first step.
    pub rate: f64,
    /// The mean loss of its steps.
    pub training_loss: f64,
    /// The validation loss after it.
    pub validation_loss: f64,
    /// Whether no epoch before had one so small.
    pub is_best: bool,
}

/// What fitting gives.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    /// All parameters and buffers after the best epoch: a copy, which later epochs did not change.
    pub(crate) best: Snapshot,
    pub(crate) best_epoch: usize,
    pub(crate) history: Vec<Epoch>,
}

/// Fits until no epoch is better than the best for `patience` epochs, or the epochs are over; the
/// learner is left with the best parameters.
///
/// # Errors
/// Those of the learner; [`Error::Diverged`] for a loss that is not finite; what is wrong with the
/// state that is there; what fails in saving.
pub(crate) fn fit(
    learner: &mut dyn Learner,
    schedule: &Schedule,
    session: &Session<'_>,
) -> Result<Outcome<Fitted>, Error> {
    let _ = (learner, schedule, session);
    todo!()
}
