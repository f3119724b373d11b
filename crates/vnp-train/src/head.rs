//! The classification head as a network that learns.

mod product;

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::{Error, Rng};

/// BatchNorm1d's epsilon in the original, and in `vnp_infer::Head`.
const EPS: f64 = 1e-5;
/// The share of a batch in the running statistics, as in PyTorch.
const MOMENTUM: f64 = 0.1;
/// The classes: others, virus.
const CLASSES: usize = 2;

/// `output(dropout(relu(norm(hidden(features)))))`, the original's head, in Candle.
#[derive(Debug, Clone)]
pub(crate) struct HeadNetwork {
    prefix: String,
    dropout: f64,
}

/// How large a head is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSize {
    /// Values of a row.
    pub features: usize,
    /// Hidden units.
    pub units: usize,
}

/// What a forward pass is for.
#[derive(Debug)]
pub(crate) enum Mode<'a> {
    /// Norms are of the batch and their running statistics move; dropout draws from the generator.
    Training(&'a mut Rng),
    /// Norms are of the running statistics; nothing drops out.
    Inference,
}

impl HeadNetwork {
    /// A head whose parameters are named `prefix` + `hidden_layer.weight` and so on, as in the
    /// original's state dict; they are drawn here: weights by Xavier, biases as PyTorch does.
    pub(crate) fn new(
        parameters: &mut Parameters,
        prefix: &str,
        size: HeadSize,
        dropout: f64,
        seed: u64,
    ) -> Result<Self, Error> {
        let HeadSize { features, units } = size;
        for (layer, outputs, inputs) in
            [("hidden_layer", units, features), ("output_layer", CLASSES, units)]
        {
            let name = |what| format!("{prefix}{layer}.{what}");
            // torch.nn.init.xavier_uniform_, and what torch.nn.Linear gives its bias.
            let weight_bound = (6.0 / (inputs + outputs) as f64).sqrt();
            let bias_bound = 1.0 / (inputs as f64).sqrt();
            let weight = uniform(outputs * inputs, weight_bound, seed, &name("weight"));
            parameters.insert(name("weight"), &[outputs, inputs], &weight)?;
            let bias = uniform(outputs, bias_bound, seed, &name("bias"));
            parameters.insert(name("bias"), &[outputs], &bias)?;
        }
        parameters.insert(format!("{prefix}bn1.weight"), &[units], &vec![1.0; units])?;
        parameters.insert(format!("{prefix}bn1.bias"), &[units], &vec![0.0; units])?;
        parameters.insert_buffer(
            format!("{prefix}bn1.running_mean"),
            &[units],
            &vec![0.0; units],
        )?;
        parameters.insert_buffer(
            format!("{prefix}bn1.running_var"),
            &[units],
            &vec![1.0; units],
        )?;
        Ok(Self { prefix: prefix.to_owned(), dropout })
    }

    /// Logits `[rows, 2]` (others, virus) of features `[rows, features]`. Gradients reach the
    /// parameters, and the features where they are computed from some. Training wants two rows or
    /// more.
    pub(crate) fn forward(
        &self,
        parameters: &Parameters,
        features: &Tensor,
        mode: Mode<'_>,
    ) -> Result<Tensor, Error> {
        let get = |name| parameters.get(&format!("{}{name}", self.prefix));
        // Turned on its side, `[units, rows]`: the gradient of the weight then comes as it lies.
        let column = |name| Ok::<_, Error>(get(name)?.unsqueeze(1)?);
        let rows = features.t()?;
        let hidden =
            product::product(parameters, &format!("{}hidden_layer.weight", self.prefix), &rows)?;
        let hidden = hidden.broadcast_add(&column("hidden_layer.bias")?)?;
        let (hidden, rng) = match mode {
            Mode::Training(rng) => (self.norm_of_batch(parameters, &hidden)?, Some(rng)),
            Mode::Inference => (self.norm_of_running(parameters, &hidden)?, None),
        };
        let hidden = hidden.broadcast_mul(&column("bn1.weight")?)?;
        let hidden = hidden.broadcast_add(&column("bn1.bias")?)?.relu()?;
        let hidden = match rng {
            Some(rng) if self.dropout > 0.0 => (hidden * self.mask(rng, parameters, features)?)?,
            _ => hidden,
        };
        let logits = get("output_layer.weight")?.matmul(&hidden)?;
        Ok(logits.broadcast_add(&column("output_layer.bias")?)?.t()?)
    }

    /// Norms `[units, rows]` by their own mean and variance; the running ones follow.
    fn norm_of_batch(&self, parameters: &Parameters, hidden: &Tensor) -> Result<Tensor, Error> {
        let rows = hidden.dim(1)? as f64;
        let mean = hidden.mean_keepdim(1)?;
        let centred = hidden.broadcast_sub(&mean)?;
        let variance = centred.sqr()?.mean_keepdim(1)?;
        let unbiased = (variance.detach() * (rows / (rows - 1.0)))?;
        for (name, value) in [("bn1.running_mean", &mean), ("bn1.running_var", &unbiased)] {
            let name = format!("{}{name}", self.prefix);
            let running = (parameters.buffer(&name)? * (1.0 - MOMENTUM))?;
            let moved = (running + (value.detach().squeeze(1)? * MOMENTUM)?)?;
            parameters.set_buffer(&name, &moved)?;
        }
        Ok(centred.broadcast_div(&(variance + EPS)?.sqrt()?)?)
    }

    fn norm_of_running(&self, parameters: &Parameters, hidden: &Tensor) -> Result<Tensor, Error> {
        let running = |name| {
            let values = parameters.buffer(&format!("{}{name}", self.prefix))?;
            Ok::<_, Error>(values.unsqueeze(1)?)
        };
        let deviation = (running("bn1.running_var")? + EPS)?.sqrt()?;
        Ok(hidden.broadcast_sub(&running("bn1.running_mean")?)?.broadcast_div(&deviation)?)
    }

    /// What units are multiplied by, `[units, rows]`: zero, or so much that the mean stays.
    fn mask(&self, rng: &mut Rng, of: &Parameters, features: &Tensor) -> Result<Tensor, Error> {
        let units = of.get(&format!("{}bn1.weight", self.prefix))?.dim(0)?;
        let rows = features.dim(0)?;
        let keep = (1.0 / (1.0 - self.dropout)) as f32;
        let value = |_| if rng.uniform() < self.dropout { 0.0 } else { keep };
        let mask: Vec<f32> = (0..units * rows).map(value).collect();
        Ok(Tensor::from_vec(mask, (units, rows), of.device())?)
    }
}

/// The mean cross-entropy of logits `[rows, 2]` against labels; of each label `smoothing` is shared
/// by both classes.
pub(crate) fn cross_entropy(
    logits: &Tensor,
    is_virus: &[bool],
    smoothing: f64,
) -> Result<Tensor, Error> {
    let (high, low) = ((1.0 - smoothing / 2.0) as f32, (smoothing / 2.0) as f32);
    let target = |virus: &bool| if *virus { [low, high] } else { [high, low] };
    let targets: Vec<f32> = is_virus.iter().flat_map(target).collect();
    let targets = Tensor::from_vec(targets, (is_virus.len(), CLASSES), logits.device())?;
    let likelihood = (candle_nn::ops::log_softmax(logits, 1)? * targets)?.sum_all()?;
    Ok((likelihood / -(is_virus.len().max(1) as f64))?)
}

/// `ln(1 + exp(x))`: the cross-entropy of a label whose logit is ahead by `-x`.
pub(crate) fn softplus(x: f64) -> f64 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

fn uniform(count: usize, bound: f64, seed: u64, name: &str) -> Vec<f32> {
    let mut rng = Rng::new(seed, name);
    (0..count).map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32).collect()
}

#[cfg(test)]
mod tests;
