//! The weights of a head, and what it says with them.

use rayon::prelude::*;

use crate::train_mini::rng::Rng;

/// BatchNorm's epsilon, as in PyTorch.
pub(super) const EPS: f32 = 1e-5;

/// The tensors of a head, named as in the original's state dict; row-major.
#[derive(Debug, Clone)]
pub(crate) struct HeadWeights {
    pub(crate) features: usize,
    pub(crate) units: usize,
    /// `[units, features]`
    pub(crate) hidden_weight: Vec<f32>,
    pub(crate) hidden_bias: Vec<f32>,
    pub(crate) norm_weight: Vec<f32>,
    pub(crate) norm_bias: Vec<f32>,
    pub(crate) running_mean: Vec<f32>,
    pub(crate) running_var: Vec<f32>,
    /// `[2, units]`
    pub(crate) output_weight: Vec<f32>,
    pub(crate) output_bias: Vec<f32>,
}

impl HeadWeights {
    /// Xavier weights.
    pub(super) fn new(features: usize, units: usize, rng: &mut Rng) -> Self {
        let mut xavier = |outputs: usize, inputs: usize| {
            let bound = (6.0 / (inputs + outputs) as f32).sqrt();
            let draw = |_| (2.0 * rng.uniform() as f32 - 1.0) * bound;
            (0..outputs * inputs).map(draw).collect::<Vec<f32>>()
        };
        Self {
            features,
            units,
            hidden_weight: xavier(units, features),
            hidden_bias: vec![0.0; units],
            norm_weight: vec![1.0; units],
            norm_bias: vec![0.0; units],
            running_mean: vec![0.0; units],
            running_var: vec![1.0; units],
            output_weight: xavier(2, units),
            output_bias: vec![0.0; 2],
        }
    }

    /// The probability of a virus, in the running statistics, for every row.
    pub(crate) fn score(&self, rows: &[f32]) -> Vec<f32> {
        rows.par_chunks_exact(self.features)
            .map(|row| {
                let mut logits = [self.output_bias[0], self.output_bias[1]];
                for unit in 0..self.units {
                    let weight = &self.hidden_weight[unit * self.features..][..self.features];
                    let x = dot(weight, row) + self.hidden_bias[unit];
                    let deviation = (self.running_var[unit] + EPS).sqrt();
                    let x = (x - self.running_mean[unit]) / deviation * self.norm_weight[unit]
                        + self.norm_bias[unit];
                    if x > 0.0 {
                        logits[0] += self.output_weight[unit] * x;
                        logits[1] += self.output_weight[self.units + unit] * x;
                    }
                }
                1.0 / (1.0 + (logits[0] - logits[1]).exp())
            })
            .collect()
    }

    /// Lets the head take features as they are, where it was trained on `(x - mean) / deviation`.
    pub(crate) fn absorb(&mut self, mean: &[f32], deviation: &[f32]) {
        for unit in 0..self.units {
            let weight = &mut self.hidden_weight[unit * self.features..][..self.features];
            for ((weight, mean), deviation) in weight.iter_mut().zip(mean).zip(deviation) {
                *weight /= deviation;
                self.hidden_bias[unit] -= *weight * mean;
            }
        }
    }
}

/// Eight sums side by side, so that it runs on vectors.
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let mut sums = [0.0f32; 8];
    let (a_blocks, a_rest) = a.as_chunks::<8>();
    let (b_blocks, b_rest) = b.as_chunks::<8>();
    for (a, b) in a_blocks.iter().zip(b_blocks) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += a * b;
        }
    }
    sums.iter().sum::<f32>() + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f32>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absorbed_scales_change_no_score() {
        let mut rng = Rng::new(5, "rows");
        let features: Vec<f32> = (0..100).map(|_| 3.0 + rng.normal()).collect();
        let (mean, deviation) = ([3.0, 2.0], [0.5, 4.0]);
        let scaled: Vec<f32> = features
            .chunks(2)
            .flat_map(|x| [(x[0] - mean[0]) / deviation[0], (x[1] - mean[1]) / deviation[1]])
            .collect();
        let mut weights = HeadWeights::new(2, 8, &mut Rng::new(1, "test"));
        let expected = weights.score(&scaled);
        weights.absorb(&mean, &deviation);
        for (found, expected) in weights.score(&features).iter().zip(expected) {
            assert!((found - expected).abs() < 1e-5);
        }
    }
}
