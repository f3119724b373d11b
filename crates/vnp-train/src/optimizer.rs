//! From gradients to steps, with a state that can be saved.

use serde::{Deserialize, Serialize};

/// What makes steps of gradients. Decay never touches tensors of one dimension: biases, norms.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Optimizer {
    /// Stochastic gradient descent, as in PyTorch: the decay is added to the gradient.
    Sgd {
        /// What is kept of the step before.
        momentum: f64,
        /// Weight decay.
        decay: f64,
    },
    /// Adam with decoupled weight decay, as in PyTorch.
    AdamW {
        /// Decay of the gradients' mean.
        beta1: f64,
        /// Decay of the squares' mean.
        beta2: f64,
        /// Keeps the divisor above zero.
        epsilon: f64,
        /// Weight decay.
        decay: f64,
    },
}
