//! How fast and how long.

use serde::{Deserialize, Serialize};

use crate::optimizer::Optimizer;

/// Everything about fitting that is not the network or the data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Schedule {
    /// What makes steps of gradients.
    pub optimizer: Optimizer,
    /// The learning rate, at its highest.
    pub rate: f64,
    /// What becomes of the rate.
    pub course: Course,
    /// At most so many epochs.
    pub epochs: usize,
    /// Epochs without a smaller validation loss after which it ends.
    pub patience: usize,
    /// The largest norm of all gradients together; longer ones are shortened to it.
    pub clip: Option<f64>,
    /// Decay of an exponential moving average of the parameters, a step; where given, the average is
    /// what is validated and what results.
    pub average: Option<f64>,
}

/// The learning rate over time.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Course {
    /// Always the same.
    Constant,
    /// Multiplied by `factor` every so many epochs.
    Step {
        /// The epochs of a step.
        epochs: usize,
        /// What the rate is multiplied by.
        factor: f64,
    },
    /// Up in a straight line, then down along half a cosine until the last epoch ends.
    Cosine {
        /// Epochs (or parts of one) until the rate is at its highest.
        warm_up: f64,
        /// The share of the rate that is left in the end.
        floor: f64,
    },
}

impl Schedule {
    /// The rate of a step; `steps` are those of its epoch.
    #[must_use]
    pub fn rate(&self, epoch: usize, step: usize, steps: usize) -> f64 {
        let _ = (epoch, step, steps);
        self.rate
    }
}
