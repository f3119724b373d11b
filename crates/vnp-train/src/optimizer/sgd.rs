//! Stochastic gradient descent with momentum.

use rayon::prelude::*;

use super::BLOCK;

/// One step for one tensor.
pub(super) struct Step {
    pub(super) rate: f32,
    pub(super) momentum: f32,
    pub(super) decay: f32,
    /// What gradients are multiplied by.
    pub(super) scale: f32,
}

impl Step {
    pub(super) fn apply(&self, values: &mut [f32], gradient: &[f32], velocity: &mut [f32]) {
        let blocks = values.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
        blocks.zip(velocity.par_chunks_mut(BLOCK)).for_each(|((values, gradient), velocity)| {
            for ((x, g), v) in values.iter_mut().zip(gradient).zip(velocity) {
                *v = self.momentum * *v + (self.scale * g + self.decay * *x);
                *x -= self.rate * *v;
            }
        });
    }
}
