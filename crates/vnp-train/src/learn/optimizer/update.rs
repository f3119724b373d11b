//! The arithmetic of one optimizer step on one tensor.

use rayon::prelude::*;

use crate::learn::host::BLOCK;
use crate::learn::optimizer::Optimizer;

/// One step for one tensor. `scale` multiplies gradients.
pub(super) enum Update {
    /// Stochastic gradient descent with momentum.
    Sgd { rate: f32, momentum: f32, decay: f32, scale: f32 },
    /// Adam with decoupled weight decay.
    AdamW {
        beta1: f32,
        beta2: f32,
        epsilon: f32,
        /// The rate over the bias correction of the mean.
        rate: f32,
        /// The root of the bias correction of the squares.
        root: f32,
        /// The factor by which values decay before the step.
        keep: f32,
        scale: f32,
    },
}

impl Update {
    /// Step number `steps`, from 1; `decays` says whether the tensor has weight decay.
    pub(super) fn new(
        optimizer: &Optimizer,
        steps: u64,
        rate: f64,
        scale: f64,
        decays: bool,
    ) -> Self {
        let scale = scale as f32;
        match *optimizer {
            Optimizer::Sgd { momentum, decay } => Self::Sgd {
                rate: rate as f32,
                momentum: momentum as f32,
                decay: if decays { decay as f32 } else { 0.0 },
                scale,
            },
            Optimizer::AdamW { beta1, beta2, epsilon, decay } => {
                let steps = i32::try_from(steps).unwrap_or(i32::MAX);
                Self::AdamW {
                    beta1: beta1 as f32,
                    beta2: beta2 as f32,
                    epsilon: epsilon as f32,
                    rate: (rate / (1.0 - beta1.powi(steps))) as f32,
                    root: (1.0 - beta2.powi(steps)).sqrt() as f32,
                    keep: if decays { (1.0 - rate * decay) as f32 } else { 1.0 },
                    scale,
                }
            }
        }
    }

    /// Moves `values` against the gradient; `moments` are in the order of [`Optimizer::moments`].
    pub(super) fn apply(
        &self,
        values: &mut [f32],
        gradient: &[f32],
        moments: &mut [&mut Vec<f32>],
    ) {
        let blocks = values.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
        match (self, moments) {
            (Self::Sgd { rate, momentum, decay, scale }, [velocity]) => {
                let blocks = blocks.zip(velocity.par_chunks_mut(BLOCK));
                blocks.for_each(|((values, gradient), velocity)| {
                    for ((x, g), v) in values.iter_mut().zip(gradient).zip(velocity) {
                        *v = momentum * *v + (scale * g + decay * *x);
                        *x -= rate * *v;
                    }
                });
            }
            (Self::AdamW { beta1, beta2, epsilon, rate, root, keep, scale }, [mean, square]) => {
                let moments = mean.par_chunks_mut(BLOCK).zip(square.par_chunks_mut(BLOCK));
                blocks.zip(moments).for_each(|((values, gradient), (mean, square))| {
                    let moments = mean.iter_mut().zip(square);
                    for ((x, g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
                        let g = scale * g;
                        *m += (1.0 - beta1) * (g - *m);
                        *v = beta2 * *v + (1.0 - beta2) * g * g;
                        *x = *x * keep - rate * (*m / (v.sqrt() / root + epsilon));
                    }
                });
            }
            _ => debug_assert!(false, "an optimizer has as many moments as it names"),
        }
    }
}
