//! The optimizer.

use super::weights::HeadWeights;

/// AdamW.
pub(super) struct Adam {
    moments: Vec<(Vec<f32>, Vec<f32>)>,
    steps: i32,
}

impl Adam {
    pub(super) fn new(weights: &HeadWeights) -> Self {
        let mut weights = weights.clone();
        let zeros =
            |(tensor, _): (&mut Vec<f32>, bool)| (vec![0.0; tensor.len()], vec![0.0; tensor.len()]);
        Self { moments: tensors(&mut weights).into_iter().map(zeros).collect(), steps: 0 }
    }

    pub(super) fn step(
        &mut self,
        weights: &mut HeadWeights,
        gradient: &[Vec<f32>; 6],
        rate: f32,
        decay: f32,
    ) {
        const FIRST: f32 = 0.9;
        const SECOND: f32 = 0.999;
        self.steps += 1;
        let correct = |beta: f32| 1.0 - beta.powi(self.steps);
        let (first_scale, second_scale) = (correct(FIRST), correct(SECOND));
        let all = tensors(weights).into_iter().zip(gradient).zip(&mut self.moments);
        for (((tensor, decays), gradient), (first, second)) in all {
            let decay = if decays { 1.0 - rate * decay } else { 1.0 };
            for (((x, g), m), v) in tensor.iter_mut().zip(gradient).zip(first).zip(second) {
                *m = FIRST * *m + (1.0 - FIRST) * g;
                *v = SECOND * *v + (1.0 - SECOND) * g * g;
                let step = (*m / first_scale) / ((*v / second_scale).sqrt() + 1e-8);
                *x = *x * decay - rate * step;
            }
        }
    }
}

/// The trained tensors, in one order for weights, gradients and moments.
pub(super) fn tensors(weights: &mut HeadWeights) -> [(&mut Vec<f32>, bool); 6] {
    [
        (&mut weights.hidden_weight, true),
        (&mut weights.hidden_bias, false),
        (&mut weights.norm_weight, false),
        (&mut weights.norm_bias, false),
        (&mut weights.output_weight, true),
        (&mut weights.output_bias, false),
    ]
}
