//! The steps between matrix products as candle's plain operations, on any device.

use candle_core::{D, DType, Result, Tensor};

use super::alibi::Alibi;
use super::norm::LayerNorm;
use super::ops::{Ops, Stream, Update};
use super::pack::Tokens;
use super::rotary::Rotary;
use crate::architecture::plan::Heads;

/// Candle's operations, one after the other: the reference of the fused kernels.
#[derive(Debug)]
pub(crate) struct Plain;

impl Ops for Plain {
    fn prepare(
        &self,
        qkv: Tensor,
        bias: &Tensor,
        heads: Heads,
        rotary: Option<&Rotary>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        let (count, width) = qkv.dims2()?;
        let biased = qkv.to_dtype(DType::F32)?.broadcast_add(bias)?;
        let split = biased.reshape((count, 3, heads.count, heads.size))?;
        let part = |index| split.narrow(1, index, 1)?.squeeze(1);
        let q = part(0)?.affine(f64::from(heads.scale()), 0.0)?;
        let (q, k) = match rotary {
            Some(rotary) => (rotary.apply(&q, tokens)?, rotary.apply(&part(1)?, tokens)?),
            None => (q, part(1)?),
        };
        Tensor::stack(&[q, k, part(2)?], 1)?.reshape((count, width))?.to_dtype(qkv.dtype())
    }

    fn attend(
        &self,
        qkv: &Tensor,
        heads: Heads,
        alibi: Option<&Alibi>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        let each = tokens.pack.ranges().map(|range| {
            let own = qkv.narrow(0, range.start, range.len())?.to_dtype(DType::F32)?;
            let split = own.reshape((range.len(), 3, heads.count, heads.size))?;
            let part = |index| split.narrow(1, index, 1)?.squeeze(1)?.transpose(0, 1)?.contiguous();
            let (q, k, v) = (part(0)?, part(1)?, part(2)?);
            let scores = q.matmul(&k.transpose(D::Minus2, D::Minus1)?)?;
            let scores = match alibi {
                Some(alibi) => (scores + alibi.score_bias(range.len())?)?,
                None => scores,
            };
            let weights = candle_nn::ops::softmax_last_dim(&scores)?;
            weights.matmul(&v)?.transpose(0, 1)?.reshape((range.len(), ()))
        });
        let each = each.collect::<Result<Vec<_>>>()?;
        Tensor::cat(&each, 0)?.to_dtype(qkv.dtype())
    }

    fn bias_gelu(&self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        let activated = x.to_dtype(DType::F32)?.broadcast_add(bias)?.gelu_erf()?;
        activated.to_dtype(x.dtype())
    }

    fn gated_gelu(&self, x: &Tensor) -> Result<Tensor> {
        let half = x.dim(D::Minus1)? / 2;
        let part = |start| x.narrow(D::Minus1, start, half)?.to_dtype(DType::F32)?.contiguous();
        (part(0)?.gelu_erf()? * part(half)?)?.to_dtype(x.dtype())
    }

    fn add_norm(
        &self,
        residual: &Tensor,
        update: Option<Update<'_>>,
        norm: &LayerNorm,
        stream: Stream,
        dtype: DType,
    ) -> Result<(Tensor, Tensor)> {
        let sum = match update {
            Some(Update { product, bias }) => {
                (residual + product.to_dtype(DType::F32)?.broadcast_add(bias)?)?
            }
            None => residual.clone(),
        };
        let normed = candle_nn::ops::layer_norm(&sum, &norm.weight, &norm.bias, norm.eps)?;
        let output = normed.to_dtype(dtype)?;
        Ok((if stream == Stream::Sum { sum } else { normed }, output))
    }

    fn mean(&self, hidden: &Tensor, tokens: &Tokens) -> Result<Tensor> {
        let means = tokens.pooled_rows.iter().map(|rows| {
            // In f64: there is little to add, and thousands of rows.
            hidden.narrow(0, rows.start, rows.len())?.to_dtype(DType::F64)?.mean(0)
        });
        Tensor::stack(&means.collect::<Result<Vec<_>>>()?, 0)?.to_dtype(DType::F32)
    }
}
