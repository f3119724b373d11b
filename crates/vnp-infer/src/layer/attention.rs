//! Multi-head self-attention.

use candle_core::{D, DType, Result, Tensor};

use super::Pass;
use super::alibi::Alibi;
use super::linear::Linear;
use super::rotary::Rotary;
use crate::kernel::attend::attend;
use crate::kernel::{Kernels, compute};

/// The number and size of heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Heads in a layer.
    pub(crate) count: usize,
    /// Values in a head.
    pub(crate) size: usize,
}

impl Heads {
    /// What queries are multiplied by.
    pub(crate) fn scale(self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

/// How attention knows where a token stands.
#[derive(Debug, Clone)]
pub(crate) enum Position {
    /// Queries and keys are rotated by their position (ESM-2).
    Rotary(Rotary),
    /// Scores fall with the distance (MosaicBERT).
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
    /// The attention of `x` added to `residual`, all `[batch, length, hidden]`.
    pub(crate) fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        position: &Position,
        pass: &Pass,
    ) -> Result<Tensor> {
        let qkv = self.qkv.forward(x, pass.kernels)?;
        let attended = match pass.kernels {
            Kernels::Own => self.own(&qkv, position)?,
            Kernels::Candle => self.candle(&qkv, position, pass.score_bias.as_ref())?,
        };
        self.output.forward_add(&attended, residual, pass.kernels)
    }

    fn own(&self, qkv: &Tensor, position: &Position) -> Result<Tensor> {
        let (batch, length, width) = qkv.dims3()?;
        let hidden = width / 3;
        compute([qkv], (batch, length, hidden), |[qkv], output| {
            let sequences = qkv.chunks_exact(length * width);
            for (qkv, output) in sequences.zip(output.chunks_exact_mut(length * hidden)) {
                attend(qkv, output, self.heads, position)?;
            }
            Ok(())
        })
    }

    fn candle(
        &self,
        qkv: &Tensor,
        position: &Position,
        score_bias: Option<&Tensor>,
    ) -> Result<Tensor> {
        let (batch, length, width) = qkv.dims3()?;
        let Heads { count, size } = self.heads;
        let split = qkv.reshape((batch, length, 3, count, size))?;
        let part = |index| split.narrow(2, index, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
        let q = part(0)?.affine(f64::from(self.heads.scale()), 0.0)?;
        let (q, k, v) = match position {
            Position::Rotary(rotary) => (rotary.apply(&q)?, rotary.apply(&part(1)?)?, part(2)?),
            Position::Alibi(_) => (q, part(1)?, part(2)?),
        };
        let scores = q.matmul(&k.transpose(D::Minus2, D::Minus1)?)?.to_dtype(DType::F32)?;
        let scores = match score_bias {
            Some(bias) => scores.broadcast_add(bias)?,
            None => scores,
        };
        let weights = candle_nn::ops::softmax_last_dim(&scores)?.to_dtype(v.dtype())?;
        weights.matmul(&v)?.transpose(1, 2)?.reshape((batch, length, width / 3))
    }
}
