//! The steps between matrix products with their gradients, on the CPU, for training.
//!
//! Candle could differentiate plain operations (but for its layer norm and its softmax of the last
//! dimension, which have no gradient), at twenty times the time: most of it goes into copies and
//! into sums over the first dimension. Here each step is one operation with a gradient of its own.

#![expect(clippy::indexing_slicing, reason = "runs are never empty, and of a pack's sequences")]

mod activation;
mod attend;
mod norm;
mod prepare;
mod rows;

use std::ops::Range;

use candle_core::{DType, Result, Tensor};

use super::alibi::Alibi;
use super::norm::LayerNorm;
use super::ops::{Ops, Stream, Update};
use super::pack::Tokens;
use super::rotary::Rotary;
use crate::architecture::plan::Heads;
use activation::{BiasGelu, GatedGelu};
use attend::Attend;
use norm::{AddUpdate, Norm};
use prepare::Prepare;

/// Steps in f32 that have gradients.
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
        qkv.apply_op2(bias, Prepare::new(heads, rotary, tokens)?)
    }

    fn attend(
        &self,
        qkv: &Tensor,
        heads: Heads,
        alibi: Option<&Alibi>,
        tokens: &Tokens,
    ) -> Result<Tensor> {
        qkv.apply_op1(Attend::new(heads, alibi, tokens)?)
    }

    fn bias_gelu(&self, x: Tensor, bias: &Tensor) -> Result<Tensor> {
        x.apply_op2(bias, BiasGelu)
    }

    fn gated_gelu(&self, x: &Tensor) -> Result<Tensor> {
        x.apply_op1(GatedGelu)
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
            Some(Update { product, bias }) => residual.apply_op3(product, bias, AddUpdate)?,
            None => residual.clone(),
        };
        let normed = sum.apply_op3(&norm.weight, &norm.bias, Norm { eps: norm.eps })?;
        Ok((if stream == Stream::Sum { sum } else { normed.clone() }, normed))
    }

    fn mean(&self, hidden: &Tensor, tokens: &Tokens) -> Result<Tensor> {
        // Sequences of one length together: the gradient of a slice is as large as the whole tensor.
        let each = runs(&tokens.pack.lengths).map(|run| {
            let first = run.sequences.start;
            let pooled = &tokens.pooled_rows[first];
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
        let length = run[0];
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
