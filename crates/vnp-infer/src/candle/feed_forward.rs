//! The feed-forward half of a layer, with or without a gate.

use candle_core::{Result, Tensor};

use super::linear::{Linear, Matrix};
use super::ops::{Ops, Update};

/// A feed-forward of either form.
#[derive(Debug, Clone)]
pub(crate) struct FeedForward {
    /// hidden to intermediate
    pub(crate) up: Up,
    /// intermediate to hidden
    pub(crate) down: Linear,
}

/// The two forms of the first linear layer. Both use the exact (erf) GELU.
#[derive(Debug, Clone)]
pub(crate) enum Up {
    /// `gelu(up(x))`.
    Plain(Linear),
    /// `[g | u] = gated(x)`, `gelu(g) * u`. The gate is the first half.
    Gated(Matrix),
}

impl FeedForward {
    /// The feed-forward of `x`, `[tokens, hidden]`, before its output's bias: see
    /// [`FeedForward::update`].
    pub(crate) fn forward(&self, x: &Tensor, ops: &dyn Ops) -> Result<Tensor> {
        let inner = match &self.up {
            Up::Plain(up) => ops.bias_gelu(up.multiply(x)?, &up.bias)?,
            Up::Gated(gated) => ops.gated_gelu(&gated.multiply(x)?)?,
        };
        self.down.multiply(&inner)
    }

    /// The result of [`FeedForward::forward`], with the bias to be added.
    pub(crate) fn update<'a>(&'a self, product: &'a Tensor) -> Update<'a> {
        Update { product, bias: &self.down.bias }
    }
}
