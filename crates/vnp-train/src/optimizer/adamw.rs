//! Adam with decoupled weight decay.

use rayon::prelude::*;

use super::BLOCK;

/// One step for one tensor.
pub(super) struct Step {
    pub(super) beta1: f32,
    pub(super) beta2: f32,
    pub(super) epsilon: f32,
    /// The rate over the mean's bias correction.
    pub(super) rate: f32,
    /// The root of the squares' bias correction.
    pub(super) root: f32,
    /// What values are multiplied by before the step.
    pub(super) keep: f32,
    /// What gradients are multiplied by.
    pub(super) scale: f32,
}

impl Step {
    pub(super) fn apply(
        &self,
        values: &mut [f32],
        gradient: &[f32],
        mean: &mut [f32],
        square: &mut [f32],
    ) {
        let blocks = values.par_chunks_mut(BLOCK).zip(gradient.par_chunks(BLOCK));
        let moments = mean.par_chunks_mut(BLOCK).zip(square.par_chunks_mut(BLOCK));
        blocks.zip(moments).for_each(|((values, gradient), (mean, square))| {
            let moments = mean.iter_mut().zip(square);
            for ((x, g), (m, v)) in values.iter_mut().zip(gradient).zip(moments) {
                let g = self.scale * g;
                *m += (1.0 - self.beta1) * (g - *m);
                *v = self.beta2 * *v + (1.0 - self.beta2) * g * g;
                *x = *x * self.keep - self.rate * (*m / (v.sqrt() / self.root + self.epsilon));
            }
        });
    }
}
