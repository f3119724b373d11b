//! Multi-head self-attention.

use candle_core::{Result, Tensor};

use super::alibi::Alibi;
use super::linear::Linear;
use super::ops::{Ops, Update};
use super::pack::Tokens;
use super::rotary::Rotary;
use crate::architecture::plan::Heads;

/// How attention takes positions into account, with the tables that this needs.
#[derive(Debug, Clone)]
pub(crate) enum Position {
    /// Queries and keys are rotated by their position.
    Rotary(Rotary),
    /// Scores fall with the distance.
    Alibi(Alibi),
}

/// Self-attention with one fused projection to queries, keys and values.
#[derive(Debug, Clone)]
pub(crate) struct Attention {
    /// hidden to `q | k | v`, each head-major
    pub(crate) qkv: Linear,
    /// hidden to hidden
    pub(crate) output: Linear,
    /// The heads.
    pub(crate) heads: Heads,
}

impl Attention {
    /// The attention of `x`, `[tokens, hidden]`, before its output's bias: see
    /// [`Attention::update`].
    pub(crate) fn forward(
        &self,
        x: &Tensor,
        position: &Position,
        tokens: &Tokens,
        ops: &dyn Ops,
    ) -> Result<Tensor> {
        let (rotary, alibi) = match position {
            Position::Rotary(rotary) => (Some(rotary), None),
            Position::Alibi(alibi) => (None, Some(alibi)),
        };
        let qkv = self.qkv.multiply(x)?;
        let qkv = ops.prepare(qkv, &self.qkv.bias, self.heads, rotary, tokens)?;
        self.output.multiply(&ops.attend(&qkv, self.heads, alibi, tokens)?)
    }

    /// The result of [`Attention::forward`], with the bias to be added.
    pub(crate) fn update<'a>(&'a self, product: &'a Tensor) -> Update<'a> {
        Update { product, bias: &self.output.bias }
    }
}
