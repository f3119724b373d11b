//! Training of the classification head.
//!
//! The network is the original's: Linear, BatchNorm, ReLU, dropout, Linear, cross-entropy. All
//! arithmetic is done here, in one fixed order, so that a seed gives the same weights every time.

mod adam;
mod weights;

use rayon::prelude::*;

use super::rng::Rng;
use adam::Adam;
pub(crate) use weights::HeadWeights;
use weights::{EPS, dot};

/// Settings of the training.
#[derive(Debug, Clone, Copy, serde::Serialize, serde::Deserialize)]
pub(crate) struct Settings {
    pub(crate) units: usize,
    pub(crate) batch: usize,
    pub(crate) epochs: usize,
    pub(crate) patience: usize,
    pub(crate) learning_rate: f32,
    pub(crate) weight_decay: f32,
    pub(crate) dropout: f32,
}

/// The share of a batch in the running statistics, as in PyTorch.
const MOMENTUM: f32 = 0.1;

/// Rows to train on.
#[derive(Debug)]
pub(crate) struct Rows<'a> {
    /// `[rows, features]`
    pub(crate) features: &'a [f32],
    pub(crate) is_virus: &'a [bool],
}

/// Trains until the validation loss has not improved for `patience` epochs, and returns the weights
/// of the best epoch. `sample` gives the rows of an epoch in order; `validate` gives the loss to
/// minimise.
pub(crate) fn train(
    rows: &Rows<'_>,
    settings: &Settings,
    seed: u64,
    mut sample: impl FnMut(usize) -> Vec<usize>,
    mut validate: impl FnMut(usize, &HeadWeights) -> f64,
) -> HeadWeights {
    let features = rows.features.len() / rows.is_virus.len().max(1);
    let mut rng = Rng::new(seed, "head");
    let mut weights = HeadWeights::new(features, settings.units, &mut rng);
    let mut adam = Adam::new(&weights);
    let mut best = (f64::INFINITY, 0, weights.clone());
    for epoch in 0..settings.epochs {
        // The rate falls to a tenth along half a cosine.
        let progress = epoch as f32 / settings.epochs.max(1) as f32;
        let rate =
            settings.learning_rate * (0.1 + 0.45 * (1.0 + (std::f32::consts::PI * progress).cos()));
        for batch in sample(epoch).chunks(settings.batch) {
            // The norm needs more than one row.
            if batch.len() > 1 {
                let gradient = gradient(rows, batch, &mut weights, settings.dropout, &mut rng);
                adam.step(&mut weights, &gradient, rate, settings.weight_decay);
            }
        }
        let loss = validate(epoch, &weights);
        if loss < best.0 {
            best = (loss, epoch, weights.clone());
        } else if epoch - best.1 >= settings.patience {
            break;
        }
    }
    best.2
}

/// Mean gradient of the cross-entropy over a batch; updates the running statistics.
fn gradient(
    rows: &Rows<'_>,
    batch: &[usize],
    weights: &mut HeadWeights,
    dropout: f32,
    rng: &mut Rng,
) -> [Vec<f32>; 6] {
    let (features, units, count) = (weights.features, weights.units, batch.len());
    let row = |i: usize| &rows.features[i * features..][..features];
    let mask: Vec<f32> = (0..units * count)
        .map(|_| if (rng.uniform() as f32) < dropout { 0.0 } else { 1.0 / (1.0 - dropout) })
        .collect();

    // Unit by unit, `[units, count]`: every unit's norm needs the whole batch.
    let forward: Vec<Unit> = (0..units)
        .into_par_iter()
        .map(|unit| {
            let weight = &weights.hidden_weight[unit * features..][..features];
            let bias = weights.hidden_bias[unit];
            Unit::new(batch.iter().map(|i| dot(weight, row(*i)) + bias).collect())
        })
        .collect();
    for (unit, found) in forward.iter().enumerate() {
        let unbiased = found.variance * count as f32 / (count - 1) as f32;
        let (mean, var) = (&mut weights.running_mean[unit], &mut weights.running_var[unit]);
        *mean += MOMENTUM * (found.mean - *mean);
        *var += MOMENTUM * (unbiased - *var);
    }

    let active = |unit: usize, i: usize| {
        let x = forward[unit].normed[i] * weights.norm_weight[unit] + weights.norm_bias[unit];
        x.max(0.0) * mask[unit * count + i]
    };
    // d loss / d logit of the virus; that of the others is its negative.
    let delta: Vec<f32> = (0..count)
        .map(|i| {
            let mut logits = [weights.output_bias[0], weights.output_bias[1]];
            for unit in 0..units {
                let x = active(unit, i);
                logits[0] += weights.output_weight[unit] * x;
                logits[1] += weights.output_weight[units + unit] * x;
            }
            let virus = 1.0 / (1.0 + (logits[0] - logits[1]).exp());
            let target = if rows.is_virus[batch[i]] { 1.0 } else { 0.0 };
            (virus - target) / count as f32
        })
        .collect();

    let backward: Vec<UnitGradient> = (0..units)
        .into_par_iter()
        .map(|unit| {
            let down = weights.output_weight[units + unit] - weights.output_weight[unit];
            let (mut output, mut scale, mut shift) = (0.0, 0.0, 0.0);
            let normed: Vec<f32> = (0..count)
                .map(|i| {
                    let x = active(unit, i);
                    output += delta[i] * x;
                    let up = if x > 0.0 { delta[i] * down * mask[unit * count + i] } else { 0.0 };
                    shift += up;
                    scale += up * forward[unit].normed[i];
                    up * weights.norm_weight[unit]
                })
                .collect();
            let hidden = forward[unit].backward(&normed);
            let mut weight = vec![0.0; features];
            for (hidden, i) in hidden.iter().zip(batch) {
                for (weight, feature) in weight.iter_mut().zip(row(*i)) {
                    *weight += hidden * feature;
                }
            }
            UnitGradient { weight, bias: hidden.iter().sum(), scale, shift, output }
        })
        .collect();
    let virus_bias: f32 = delta.iter().sum();
    let output: Vec<f32> = backward.iter().map(|unit| unit.output).collect();
    [
        backward.iter().flat_map(|unit| unit.weight.iter().copied()).collect(),
        backward.iter().map(|unit| unit.bias).collect(),
        backward.iter().map(|unit| unit.scale).collect(),
        backward.iter().map(|unit| unit.shift).collect(),
        output.iter().map(|x| -x).chain(output.iter().copied()).collect(),
        vec![-virus_bias, virus_bias],
    ]
}

struct UnitGradient {
    weight: Vec<f32>,
    bias: f32,
    scale: f32,
    shift: f32,
    output: f32,
}

/// One hidden unit over a batch, normed.
struct Unit {
    normed: Vec<f32>,
    mean: f32,
    variance: f32,
}

impl Unit {
    fn new(mut values: Vec<f32>) -> Self {
        let count = values.len() as f32;
        let mean = values.iter().sum::<f32>() / count;
        let variance = values.iter().map(|x| (x - mean) * (x - mean)).sum::<f32>() / count;
        let scale = 1.0 / (variance + EPS).sqrt();
        values.iter_mut().for_each(|x| *x = (*x - mean) * scale);
        Self { normed: values, mean, variance }
    }

    /// From the gradient of the normed values to that of the values.
    fn backward(&self, gradient: &[f32]) -> Vec<f32> {
        let count = gradient.len() as f32;
        let mean = gradient.iter().sum::<f32>() / count;
        let along = dot(gradient, &self.normed) / count;
        let scale = 1.0 / (self.variance + EPS).sqrt();
        let value = |(g, x): (&f32, &f32)| (g - mean - x * along) * scale;
        gradient.iter().zip(&self.normed).map(value).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::adam::tensors;
    use super::*;

    const SETTINGS: Settings = Settings {
        units: 8,
        batch: 32,
        epochs: 60,
        patience: 60,
        learning_rate: 0.01,
        weight_decay: 0.0,
        dropout: 0.0,
    };

    /// Two features of which neither alone tells anything: viral where their signs differ.
    fn rows(count: usize) -> (Vec<f32>, Vec<bool>) {
        let mut rng = Rng::new(5, "rows");
        let features: Vec<f32> = (0..2 * count).map(|_| 3.0 + rng.normal()).collect();
        let is_virus = features.chunks(2).map(|x| (x[0] > 3.0) != (x[1] > 3.0)).collect();
        (features, is_virus)
    }

    fn loss(weights: &HeadWeights, features: &[f32], is_virus: &[bool]) -> f64 {
        let score = weights.score(features);
        let term = |(p, v): (&f32, &bool)| -f64::from(if *v { *p } else { 1.0 - p }).ln();
        score.iter().zip(is_virus).map(term).sum::<f64>() / is_virus.len() as f64
    }

    #[test]
    fn the_gradient_is_that_of_the_loss() {
        let (features, is_virus) = rows(16);
        let rows = Rows { features: &features, is_virus: &is_virus };
        let batch: Vec<usize> = (0..16).collect();
        let start = HeadWeights::new(2, 3, &mut Rng::new(1, "test"));
        let mut rng = Rng::new(1, "mask");
        // The loss of a batch, with the statistics of that batch.
        let batch_loss = |mut weights: HeadWeights| {
            weights.running_mean = vec![0.0; 3];
            weights.running_var = vec![0.0; 3];
            for unit in 0..3 {
                let weight = &weights.hidden_weight[unit * 2..][..2];
                let bias = weights.hidden_bias[unit];
                let values = batch.iter().map(|i| dot(weight, &features[i * 2..][..2]) + bias);
                let unit_values = Unit::new(values.collect());
                weights.running_mean[unit] = unit_values.mean;
                weights.running_var[unit] = unit_values.variance;
            }
            loss(&weights, &features, &is_virus)
        };
        let found = gradient(&rows, &batch, &mut start.clone(), 0.0, &mut rng);
        for (tensor, found) in found.iter().enumerate() {
            for (at, found) in found.iter().enumerate() {
                let moved = |by: f32| {
                    let mut weights = start.clone();
                    tensors(&mut weights)[tensor].0[at] += by;
                    batch_loss(weights)
                };
                let expected = (moved(1e-2) - moved(-1e-2)) / 2e-2;
                let difference = (f64::from(*found) - expected).abs();
                assert!(difference < 2e-3, "{tensor} {at}: {found} {expected}");
            }
        }
    }

    #[test]
    fn a_head_learns_what_is_not_linear_and_repeats() {
        let (features, is_virus) = rows(400);
        let rows = Rows { features: &features, is_virus: &is_virus };
        let run = |seed| {
            train(
                &rows,
                &SETTINGS,
                seed,
                |_| (0..400).collect(),
                |_, weights| loss(weights, &features, &is_virus),
            )
        };
        let weights = run(1);
        assert!(loss(&weights, &features, &is_virus) < 0.2);
        assert_eq!(weights.hidden_weight, run(1).hidden_weight);
        assert_ne!(weights.hidden_weight, run(2).hidden_weight);
    }

    #[test]
    fn the_best_weights_are_kept_and_not_the_last() {
        let (features, is_virus) = rows(100);
        let rows = Rows { features: &features, is_virus: &is_virus };
        let mut seen = Vec::new();
        let weights = train(
            &rows,
            &SETTINGS,
            1,
            |_| (0..100).collect(),
            |epoch, weights| {
                seen.push(weights.hidden_weight.clone());
                if epoch == 7 { 0.0 } else { 1.0 }
            },
        );
        assert_eq!(weights.hidden_weight, seen[7]);
        assert_eq!(seen.len(), 60);
    }
}
