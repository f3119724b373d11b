//! The record of one epoch.

use serde::{Deserialize, Serialize};

/// The losses of one epoch.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Epoch {
    /// The index of the epoch, from 0.
    pub epoch: usize,
    /// The learning rate of its first step.
    pub rate: f64,
    /// The mean loss of its steps.
    pub training_loss: f64,
    /// The validation loss after it.
    pub validation_loss: f64,
    /// Whether it is the smallest validation loss so far.
    pub is_best: bool,
}
