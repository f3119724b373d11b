//! The classification head as a network that learns.

use candle_core::Tensor;
use serde::{Deserialize, Serialize};

use crate::parameters::Parameters;
use crate::{Error, Rng};

/// `output(dropout(relu(norm(hidden(features)))))`, the original's head, in Candle.
#[derive(Debug, Clone)]
pub(crate) struct HeadNetwork {
    prefix: String,
    dropout: f32,
}

/// How large a head is.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
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
        dropout: f32,
        seed: u64,
    ) -> Result<Self, Error> {
        let _ = (parameters, size, seed);
        Ok(Self { prefix: prefix.to_owned(), dropout })
    }

    /// Logits `[rows, 2]` (others, virus) of features `[rows, features]`; gradients reach both the
    /// parameters and the features.
    pub(crate) fn forward(
        &self,
        parameters: &Parameters,
        features: &Tensor,
        mode: Mode<'_>,
    ) -> Result<Tensor, Error> {
        let _ = (parameters, features, mode, &self.prefix, self.dropout);
        todo!()
    }
}

/// The mean cross-entropy of logits `[rows, 2]` against labels; `smoothing` of each label's weight is
/// shared by both classes.
pub(crate) fn cross_entropy(
    logits: &Tensor,
    is_virus: &[bool],
    smoothing: f64,
) -> Result<Tensor, Error> {
    let _ = (logits, is_virus, smoothing);
    todo!()
}
