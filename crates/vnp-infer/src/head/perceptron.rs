//! The arithmetic of a head, whatever its features are.

use crate::error::Error;
use crate::weights::Weights;

/// BatchNorm1d's epsilon in the original.
pub(super) const EPS: f32 = 1e-5;
/// The classes: others, virus.
pub(super) const CLASSES: usize = 2;

/// `output(relu(norm(hidden(features))))`.
#[derive(Debug, Clone)]
pub(super) struct Perceptron {
    /// `[units, features]`
    hidden_weight: Vec<f32>,
    hidden_bias: Vec<f32>,
    /// BatchNorm's weight over the running standard deviation.
    norm_scale: Vec<f32>,
    norm_mean: Vec<f32>,
    norm_bias: Vec<f32>,
    /// `[2, units]`
    output_weight: Vec<f32>,
    output_bias: Vec<f32>,
}

impl Perceptron {
    /// From tensors that were selected as a head's; neither units nor features may be 0.
    pub(super) fn load(weights: &Weights) -> Result<Self, Error> {
        let variance = weights.required("bn1.running_var")?;
        let norm_weight = weights.required("bn1.weight")?;
        Ok(Self {
            hidden_weight: weights.required("hidden_layer.weight")?,
            hidden_bias: weights.required("hidden_layer.bias")?,
            norm_scale: norm_weight
                .iter()
                .zip(&variance)
                .map(|(w, v)| w / (v + EPS).sqrt())
                .collect(),
            norm_mean: weights.required("bn1.running_mean")?,
            norm_bias: weights.required("bn1.bias")?,
            output_weight: weights.required("output_layer.weight")?,
            output_bias: weights.required("output_layer.bias")?,
        })
    }

    /// The logits of one row.
    pub(super) fn logits(&self, features: &[f32]) -> [f32; CLASSES] {
        let units: Vec<f32> = self
            .hidden_weight
            .chunks_exact(features.len())
            .zip(&self.hidden_bias)
            .zip(self.norm_scale.iter().zip(&self.norm_mean).zip(&self.norm_bias))
            .map(|((weight, bias), ((scale, mean), shift))| {
                let x = (dot(weight, features) as f32 + bias - mean) * scale + shift;
                // Not `max`, which would turn NaN into 0.
                if x < 0.0 { 0.0 } else { x }
            })
            .collect();
        let mut logits = [0.0; CLASSES];
        let outputs = self.output_weight.chunks_exact(units.len()).zip(&self.output_bias);
        for (logit, (weight, bias)) in logits.iter_mut().zip(outputs) {
            *logit = dot(weight, &units) as f32 + bias;
        }
        logits
    }
}

/// A dot product in 16 lanes of f64, folded in a fixed order.
#[inline(always)]
fn dot(a: &[f32], b: &[f32]) -> f64 {
    let mut lanes = [0.0; 16];
    for (a, b) in a.chunks(16).zip(b.chunks(16)) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += f64::from(*a) * f64::from(*b);
        }
    }
    lanes.iter().sum()
}

/// The number of rows of embeddings, `[rows, width]`.
pub(super) fn rows_of(what: &'static str, values: &[f32], width: usize) -> Result<usize, Error> {
    if !values.len().is_multiple_of(width) {
        return Err(Error::EmbeddingSize { what, found: values.len(), width });
    }
    Ok(values.len() / width)
}

/// The scores of logits, which sum to 1.
pub(super) fn softmax([others, virus]: [f32; 2]) -> [f32; 2] {
    let largest = if virus > others { virus } else { others };
    let (others, virus) = ((others - largest).exp(), (virus - largest).exp());
    let sum = others + virus;
    [others / sum, virus / sum]
}
