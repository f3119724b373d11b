//! How far a training is: all of it that is saved.

use crate::Error;
use crate::fit::Epoch;
use crate::optimizer::OptimizerState;
use crate::parameters::Parameters;
use crate::schedule::Schedule;
use crate::snapshot::Snapshot;

/// Everything that a training goes on from, but the parameters and buffers as they are.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Progress {
    /// The steps of the present epoch that are done.
    pub(crate) step: usize,
    /// The sum of their losses.
    pub(crate) loss_sum: f64,
    /// The epochs that are done.
    pub(crate) history: Vec<Epoch>,
    /// Parameters and buffers after the best epoch; those of the beginning before there is one.
    pub(crate) best: Snapshot,
    pub(crate) optimizer: OptimizerState,
    /// Of parameters and buffers, where the schedule asks for it.
    pub(crate) average: Option<Snapshot>,
}

impl Progress {
    /// Before the first step.
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

    /// The present epoch, from 0.
    pub(crate) fn epoch(&self) -> usize {
        self.history.len()
    }

    /// The smallest validation loss.
    pub(super) fn best_loss(&self) -> Option<f64> {
        self.history.iter().rfind(|epoch| epoch.is_best).map(|epoch| epoch.validation_loss)
    }

    /// Whether the epochs are over, or patience is.
    pub(super) fn is_finished(&self, schedule: &Schedule) -> bool {
        let since_best = self.history.iter().rev().take_while(|epoch| !epoch.is_best).count();
        self.epoch() >= schedule.epochs || since_best >= schedule.patience
    }
}
