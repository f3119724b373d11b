//! The interface of the steps between matrix products.

use std::fmt;

use candle_core::{DType, Result, Tensor};

use super::alibi::Alibi;
use super::norm::LayerNorm;
use super::pack::Tokens;
use super::rotary::Rotary;
use crate::architecture::plan::Heads;

/// The steps between the matrix products of a transformer. All tensors are contiguous.
pub(crate) trait Ops: fmt::Debug + Send + Sync {
    /// To rows `query | key | value` adds `bias`, scales the queries and, with `rotary`, rotates
    /// queries and keys by their position. `[tokens, 3 hidden]` to the same; may reuse its memory.
    fn prepare(
        &self,
        qkv: Tensor,
        bias: &Tensor,
        heads: Heads,
        rotary: Option<&Rotary>,
        tokens: &Tokens,
    ) -> Result<Tensor>;

    /// The attention of each sequence within itself, with prepared queries, keys and values:
    /// `[tokens, 3 hidden]` to `[tokens, hidden]`.
    fn attend(
        &self,
        qkv: &Tensor,
        heads: Heads,
        alibi: Option<&Alibi>,
        tokens: &Tokens,
    ) -> Result<Tensor>;

    /// `gelu(x + bias)`; may reuse the memory of `x`.
    fn bias_gelu(&self, x: Tensor, bias: &Tensor) -> Result<Tensor>;

    /// `gelu(gate) * value` of rows `gate | value`.
    fn gated_gelu(&self, x: &Tensor) -> Result<Tensor>;

    /// The sum of `residual` (f32) and `update`: first what `stream` selects, in f32, for the next
    /// residual, then the norm of the sum as `dtype`. Both `[tokens, hidden]`.
    fn add_norm(
        &self,
        residual: &Tensor,
        update: Option<Update<'_>>,
        norm: &LayerNorm,
        stream: Stream,
        dtype: DType,
    ) -> Result<(Tensor, Tensor)>;

    /// The mean of each sequence's pooled rows, `[tokens, hidden]` to `[sequences, hidden]`, f32.
    fn mean(&self, hidden: &Tensor, tokens: &Tokens) -> Result<Tensor>;
}

/// A linear layer's output whose bias is still to be added.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Update<'a> {
    /// `[tokens, hidden]`
    pub(crate) product: &'a Tensor,
    /// `[hidden]`
    pub(crate) bias: &'a Tensor,
}

/// What the next residual is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// The sum: pre-norm.
    Sum,
    /// The norm: post-norm.
    Norm,
}
