//! The classification head as a trainable network.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::head::product::product;
use crate::learn::parameters::Parameters;
use crate::rng::Rng;

/// The epsilon of BatchNorm1d in the original, and in `vnp_infer::Head`.
const EPS: f64 = 1e-5;
/// The weight of a batch in the running statistics, as in PyTorch.
const MOMENTUM: f64 = 0.1;
/// The number of classes: others, virus.
pub(crate) const CLASSES: usize = 2;

/// `output(dropout(relu(norm(hidden(features)))))`, the original's head, in Candle.
#[derive(Debug, Clone)]
pub(crate) struct HeadNetwork {
    prefix: String,
    dropout: f64,
}

/// The size of a head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct HeadSize {
    /// The number of values of a row.
    pub features: usize,
    /// The number of hidden units.
    pub units: usize,
}

/// The purpose of a forward pass.
#[derive(Debug)]
pub(crate) enum Mode<'a> {
    /// Norms use the statistics of the batch, and update the running ones; dropout is active.
    Training(&'a mut Rng),
    /// Norms use the running statistics; there is no dropout.
    Inference,
}

impl HeadNetwork {
    /// A head whose parameters are named `prefix` + `hidden_layer.weight` and so on, as in the
    /// original's state dict. They are initialised here: weights by Xavier, biases as in PyTorch.
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
            // torch.nn.init.xavier_uniform_, and the initial bias of torch.nn.Linear.
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
    /// parameters, and features that are computed from parameters. Training needs two rows or
    /// more.
    pub(crate) fn forward(
        &self,
        parameters: &Parameters,
        features: &Tensor,
        mode: Mode<'_>,
    ) -> Result<Tensor, Error> {
        let get = |name| parameters.get(&format!("{}{name}", self.prefix));
        // Transposed, `[units, rows]`: the gradient of the weight is then contiguous.
        let column = |name| Ok::<_, Error>(get(name)?.unsqueeze(1)?);
        let rows = features.t()?;
        let hidden = product(parameters, &format!("{}hidden_layer.weight", self.prefix), &rows)?;
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

    /// Normalises `[units, rows]` by their own mean and variance, and updates the running ones.
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

    /// The dropout mask `[units, rows]`: zero, or the factor that preserves the mean.
    fn mask(&self, rng: &mut Rng, of: &Parameters, features: &Tensor) -> Result<Tensor, Error> {
        let units = of.get(&format!("{}bn1.weight", self.prefix))?.dim(0)?;
        let rows = features.dim(0)?;
        let keep = (1.0 / (1.0 - self.dropout)) as f32;
        let value = |_| if rng.uniform() < self.dropout { 0.0 } else { keep };
        let mask: Vec<f32> = (0..units * rows).map(value).collect();
        Ok(Tensor::from_vec(mask, (units, rows), of.device())?)
    }
}

fn uniform(count: usize, bound: f64, seed: u64, name: &str) -> Vec<f32> {
    let mut rng = Rng::new(seed, name);
    (0..count).map(|_| ((2.0 * rng.uniform() - 1.0) * bound) as f32).collect()
}

#[cfg(test)]
mod tests;
