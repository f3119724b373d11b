//! The progress of a training: everything that is saved next to the parameters.

use crate::error::Error;
use crate::learn::epoch::Epoch;
use crate::learn::optimizer::state::OptimizerState;
use crate::learn::parameters::Parameters;
use crate::learn::schedule::Schedule;
use crate::learn::snapshot::Snapshot;

/// Everything that a training resumes from, except the current parameters and buffers.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// The completed steps of the current epoch.
    pub(crate) step: usize,
    /// The sum of their losses.
    pub(crate) loss_sum: f64,
    /// The completed epochs.
    pub(crate) history: Vec<Epoch>,
    /// Parameters and buffers after the best epoch; the initial ones before the first.
    pub(crate) best: Snapshot,
    pub(crate) optimizer: OptimizerState,
    /// The average of parameters and buffers, where the schedule asks for it.
    pub(crate) average: Option<Snapshot>,
}

impl Progress {
    /// The progress before the first step.
    pub(crate) fn new(schedule: &Schedule, parameters: &Parameters) -> Result<Self, Error> {
        let best = parameters.snapshot()?;
        Ok(Self {
            step: 0,
            loss_sum: 0.0,
            history: Vec::new(),
            average: schedule.average.map(|_| best.clone()),
            best,
            optimizer: OptimizerState::new(&schedule.optimizer, parameters),
        })
    }

    /// The current epoch, from 0.
    pub(crate) fn epoch(&self) -> usize {
        self.history.len()
    }

    /// The smallest validation loss.
    pub(super) fn best_loss(&self) -> Option<f64> {
        self.history.iter().rfind(|epoch| epoch.is_best).map(|epoch| epoch.validation_loss)
    }

    /// Whether the epochs are over, or patience is exhausted.
    pub(super) fn is_finished(&self, schedule: &Schedule) -> bool {
        let since_best = self.history.iter().rev().take_while(|epoch| !epoch.is_best).count();
        self.epoch() >= schedule.epochs || since_best >= schedule.patience
    }
}
