//! The steps between matrix products as operations that candle can differentiate.
//!
//! The plain ones cannot be: candle's layer norm and softmax of the last dimension have no gradient.
//! Sequences of one length that follow each other are computed together, because the gradient of
//! a slice is as large as what it was cut from.

use std::ops::Range;

use candle_core::{D, DType, Result, Tensor, bail};

use super::alibi::Alibi;
use super::attention::Heads;
use super::norm::LayerNorm;
use super::ops::{Ops, Stream, Update};
use super::plain::Plain;
use super::rotary::Rotary;
use crate::batch::Tokens;

/// For training, in f32.
#[derive(Debug)]
pub(crate) struct Differentiable;

impl Ops for Differentiable {
    fn prepare(
        &self,
        qkv: Tensor,
        bias: &Tensor,
        heads: Heads,
        rotary: Option<&Rotary>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        Plain.prepare(qkv, bias, heads, rotary, tokens)
    }

    fn attend(
        &self,
        qkv: &Tensor,
        heads: Heads,
        alibi: Option<&Alibi>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        let each = runs(&tokens.pack.lengths).map(|run| {
            let split = qkv.narrow(0, run.rows.start, run.rows.len())?;
            let split = split.reshape((run.sequences.len(), run.length, 3, heads.count, ()))?;
            // [sequences, heads, length, size]
            let part = |i| split.narrow(2, i, 1)?.squeeze(2)?.transpose(1, 2)?.contiguous();
            let (q, k, v) = (part(0)?, part(1)?, part(2)?);
            let scores = q.matmul(&k.t()?)?;
            let scores = match alibi {
                Some(alibi) => scores.broadcast_add(&alibi.score_bias(run.length)?)?,
                None => scores,
            };
            let weights = candle_nn::ops::softmax(&scores, D::Minus1)?;
            weights.matmul(&v)?.transpose(1, 2)?.reshape((run.rows.len(), ()))
        });
        Tensor::cat(&each.collect::<Result<Vec<_>>>()?, 0)
    }

    fn bias_gelu(&self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        Plain.bias_gelu(x, bias)
    }

    fn gated_gelu(&self, x: &Tensor) -> Result<Tensor> {
        Plain.gated_gelu(x)
    }

    fn add_norm(
        &self,
        residual: &Tensor,
        update: Option<Update<'_>>,
        norm: &LayerNorm,
        stream: Stream,
        _dtype: DType,
    ) -> Result<(Tensor, Tensor)> {
        let sum = match update {
            Some(Update { product, bias }) => (residual + product.broadcast_add(bias)?)?,
            None => residual.clone(),
        };
        let centred = sum.broadcast_sub(&sum.mean_keepdim(D::Minus1)?)?;
        let variance = centred.sqr()?.mean_keepdim(D::Minus1)?;
        let normed = centred.broadcast_div(&(variance + f64::from(norm.eps))?.sqrt()?)?;
        let normed = normed.broadcast_mul(&norm.weight)?.broadcast_add(&norm.bias)?;
        Ok((if stream == Stream::Sum { sum } else { normed.clone() }, normed))
    }

    fn mean(&self, hidden: &Tensor, tokens: &Tokens) -> Result<Tensor> {
        let each = runs(&tokens.pack.lengths).map(|run| {
            let first = run.sequences.start;
            let Some(pooled) = tokens.pooled_rows.get(first) else { bail!("no sequence {first}") };
            let start = pooled.start - run.rows.start;
            let own = hidden.narrow(0, run.rows.start, run.rows.len())?;
            let own = own.reshape((run.sequences.len(), run.length, ()))?;
            own.narrow(1, start, pooled.len())?.mean(1)
        });
        Tensor::cat(&each.collect::<Result<Vec<_>>>()?, 0)
    }
}

/// Sequences of one length that follow each other.
#[derive(Debug, PartialEq, Eq)]
struct Run {
    length: usize,
    sequences: Range<usize>,
    rows: Range<usize>,
}

fn runs(lengths: &[usize]) -> impl Iterator<Item = Run> {
    let mut end = (0, 0);
    lengths.chunk_by(|a, b| a == b).map(move |run| {
        let length = run.first().copied().unwrap_or_default();
        let start = end;
        end = (start.0 + run.len(), start.1 + run.len() * length);
        Run { length, sequences: start.0..end.0, rows: start.1..end.1 }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sequences_of_one_length_run_together() {
        let run = |length, sequences, rows| Run { length, sequences, rows };
        let found: Vec<_> = runs(&[3, 3, 2, 3]).collect();
        assert_eq!(found, [run(3, 0..2, 0..6), run(2, 2..3, 6..8), run(3, 3..4, 8..11)]);
        assert_eq!(runs(&[]).count(), 0);
    }
}
