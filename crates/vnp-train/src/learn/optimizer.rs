//! The optimizers and their settings.

pub(crate) mod state;
mod update;

use serde::{Deserialize, Serialize};

/// An optimizer with its settings. Decay never applies to tensors of one dimension: biases, norms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent, as in PyTorch: the decay is added to the gradient.
    Sgd {
        /// The momentum.
        momentum: f64,
        /// The weight decay.
        decay: f64,
    },
    /// Adam with decoupled weight decay, as in PyTorch.
    AdamW {
        /// The decay of the mean of the gradients.
        beta1: f64,
        /// The decay of the mean of their squares.
        beta2: f64,
        /// Keeps the divisor above zero.
        epsilon: f64,
        /// The weight decay.
        decay: f64,
    },
}

impl Optimizer {
    /// AdamW with PyTorch's defaults and this decay.
    #[must_use]
    pub const fn adam_w(decay: f64) -> Self {
        Self::AdamW { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, decay }
    }

    /// The names of the moments that it keeps for every parameter.
    pub(crate) const fn moments(&self) -> &'static [&'static str] {
        match self {
            Self::Sgd { .. } => &["velocity"],
            Self::AdamW { .. } => &["mean", "square"],
        }
    }
}
