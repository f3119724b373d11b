//! Fitting the head to the embeddings of the training frames.

use std::collections::HashMap;

use vnp_infer::Tensors;

use super::chunks::{self, Chunk};
use super::corpus::Pools;
use super::features::Features;
use super::head::{self, HeadWeights, Rows};
use super::metrics;
use super::rng::Rng;
use super::settings::Settings;

/// Trains on as many host frames as viral ones, drawn anew for every epoch; keeps the weights of the
/// epoch with the smallest validation loss, in which both classes weigh the same.
pub(crate) fn train_head(
    pools: &Pools,
    training: &Features,
    validation: &Features,
    settings: &Settings,
    log: &impl Fn(&str),
) -> HeadWeights {
    let (mean, deviation) = training.moments();
    let rows = training.standardised(&mean, &deviation);
    let is_virus = labels(&pools.training);
    let validation_rows = validation.standardised(&mean, &deviation);
    let validation_labels = labels(&pools.validation);
    let groups = pools.training.iter().flat_map(|c| c.frames.iter().map(|_| c.group)).collect();
    let mut epochs = Epochs::new(&is_virus, groups, settings.seed);
    let sample = |_| epochs.draw();
    let validate = |epoch: usize, weights: &HeadWeights| {
        let scores = weights.score(&validation_rows);
        let loss = balanced_loss(&scores, &validation_labels);
        let auroc = metrics::auroc(&chunks::score(&pools.validation, &scores));
        log(&format!("epoch {epoch}: validation loss {loss:.4}, chunk AUROC {auroc:.4}"));
        loss
    };
    let rows = Rows { features: &rows, is_virus: &is_virus };
    let mut weights = head::train(&rows, &settings.head, settings.seed, sample, validate);
    weights.absorb(&mean, &deviation);
    weights
}

/// Draws the rows of an epoch: as many viral ones as there are, and as many hosts. Rows of a group
/// are drawn by one over the square root of its size, so that a few large ones do not prevail.
struct Epochs {
    /// Rows of the viruses and of the hosts, with the running sums of their weights.
    classes: [Vec<(f64, usize)>; 2],
    rng: Rng,
}

impl Epochs {
    fn new(is_virus: &[bool], groups: Vec<usize>, seed: u64) -> Self {
        let mut sizes = HashMap::new();
        for key in is_virus.iter().zip(&groups) {
            *sizes.entry(key).or_insert(0.0f64) += 1.0;
        }
        let class = |virus| {
            let rows = is_virus.iter().zip(&groups).enumerate();
            let mut sum = 0.0;
            rows.filter(|(_, (class, _))| **class == virus)
                .map(|(row, key)| {
                    sum += 1.0 / sizes.get(&key).copied().unwrap_or(1.0).sqrt();
                    (sum, row)
                })
                .collect()
        };
        Self { classes: [class(true), class(false)], rng: Rng::new(seed, "epochs") }
    }

    fn draw(&mut self) -> Vec<usize> {
        let count = self.classes[0].len();
        let mut rows = Vec::with_capacity(2 * count);
        for class in self.classes.iter().filter(|class| !class.is_empty()) {
            let total = class[class.len() - 1].0;
            for _ in 0..count {
                let at = self.rng.uniform() * total;
                let found = class.partition_point(|(sum, _)| *sum <= at);
                rows.push(class[found.min(class.len() - 1)].1);
            }
        }
        self.rng.shuffle(&mut rows);
        rows
    }
}

fn labels(chunks: &[Chunk]) -> Vec<bool> {
    chunks.iter().flat_map(|chunk| chunk.frames.iter().map(|_| chunk.is_virus)).collect()
}

/// Cross-entropy with equal weights for both classes.
fn balanced_loss(scores: &[f32], is_virus: &[bool]) -> f64 {
    let mean = |class: bool| {
        let terms = scores.iter().zip(is_virus).filter(|(_, virus)| **virus == class);
        let (mut sum, mut count) = (0.0, 0usize);
        for (score, _) in terms {
            let p = f64::from(if class { *score } else { 1.0 - score });
            sum -= p.max(1e-7).ln();
            count += 1;
        }
        sum / count.max(1) as f64
    };
    (mean(true) + mean(false)) / 2.0
}

pub(crate) fn head_tensors(weights: &HeadWeights) -> Tensors {
    let mut tensors = Tensors::default();
    let (units, features) = (weights.units, weights.features);
    tensors.insert_f32("hidden_layer.weight", &[units, features], &weights.hidden_weight);
    tensors.insert_f32("hidden_layer.bias", &[units], &weights.hidden_bias);
    tensors.insert_f32("bn1.weight", &[units], &weights.norm_weight);
    tensors.insert_f32("bn1.bias", &[units], &weights.norm_bias);
    tensors.insert_f32("bn1.running_mean", &[units], &weights.running_mean);
    tensors.insert_f32("bn1.running_var", &[units], &weights.running_var);
    tensors.insert_f32("output_layer.weight", &[2, units], &weights.output_weight);
    tensors.insert_f32("output_layer.bias", &[2], &weights.output_bias);
    tensors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_epoch_has_both_classes_and_its_share_of_every_group() {
        // 90 and 10 viral rows, and 400 of hosts.
        let is_virus: Vec<bool> = (0..500).map(|row| row < 100).collect();
        let groups = (0..500).map(|row| if row < 90 { 0 } else { 1 }).collect();
        let mut epochs = Epochs::new(&is_virus, groups, 1);
        let (mut viral, mut small) = (0, 0);
        for _ in 0..20 {
            let rows = epochs.draw();
            assert_eq!(rows.len(), 200);
            viral += rows.iter().filter(|row| **row < 100).count();
            small += rows.iter().filter(|row| (90..100).contains(*row)).count();
        }
        assert_eq!(viral, 2000);
        // sqrt(90) to sqrt(10): a quarter of the rows, and not a tenth.
        assert!((400..600).contains(&small), "{small}");
    }

    #[test]
    fn the_loss_weighs_both_classes_the_same() {
        let half = balanced_loss(&[0.5, 0.5, 0.5], &[true, false, false]);
        assert!((half - 0.5f64.ln().abs()).abs() < 1e-6);
        let one = balanced_loss(&[0.5, 1.0], &[true, true]);
        let many = balanced_loss(&[0.5, 1.0, 0.0, 0.0, 0.0], &[true, true, false, false, false]);
        assert!((one - many).abs() < 1e-6);
    }
}
