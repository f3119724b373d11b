//! The attention of training, and its gradient.

use candle_core::{CpuStorage, CustomOp1, Layout, Result, Shape, Tensor, WithDType as _};
use rayon::prelude::*;
use vnp_kernels::gradient::PreparedHeads;

use super::rows::{values, with_both};
use crate::architecture::plan::Heads;
use crate::candle::alibi::Alibi;
use crate::candle::pack::Tokens;

/// The attention of each sequence within itself. The gradient computes the softmax again rather than
/// keep its result, which is larger than all else together.
pub(super) struct Attend {
    slopes: Vec<f32>,
    size: usize,
    lengths: Vec<usize>,
}

impl Attend {
    pub(super) fn new(heads: Heads, alibi: Option<&Alibi>, tokens: &Tokens) -> Result<Self> {
        let slopes = match alibi {
            Some(alibi) => alibi.slopes.to_vec1()?,
            None => vec![0.0; heads.count],
        };
        Ok(Self { slopes, size: heads.size, lengths: tokens.pack.lengths.clone() })
    }

    fn heads(&self) -> PreparedHeads<'_> {
        PreparedHeads { slopes: &self.slopes, size: self.size }
    }

    fn hidden(&self) -> usize {
        self.slopes.len() * self.size
    }
}

impl CustomOp1 for Attend {
    fn name(&self) -> &'static str {
        "attend"
    }

    fn cpu_fwd(&self, qkv: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, _) = layout.shape().dims2()?;
        let hidden = self.hidden();
        let mut output = vec![0.0; rows * hidden];
        split(values(qkv, layout)?, &self.lengths, 3 * hidden)
            .into_par_iter()
            .zip(split_mut(&mut output, &self.lengths, hidden))
            .try_for_each(|(qkv, output)| self.heads().attend(qkv, output))
            .map_err(candle_core::Error::wrap)?;
        Ok((f32::to_cpu_storage_owned(output), Shape::from((rows, hidden))))
    }

    fn bwd(&self, qkv: &Tensor, _: &Tensor, outer: &Tensor) -> Result<Option<Tensor>> {
        let hidden = self.hidden();
        let mut inner = vec![0.0; qkv.elem_count()];
        with_both((qkv, outer), |qkv, outer| {
            split(qkv, &self.lengths, 3 * hidden)
                .into_par_iter()
                .zip(split(outer, &self.lengths, hidden))
                .zip(split_mut(&mut inner, &self.lengths, 3 * hidden))
                .try_for_each(|((qkv, outer), inner)| self.heads().gradient(qkv, outer, inner))
                .map_err(candle_core::Error::wrap)
        })?;
        Ok(Some(Tensor::from_vec(inner, qkv.shape(), qkv.device())?))
    }
}

/// The rows of each sequence.
fn split<'a>(mut rows: &'a [f32], lengths: &[usize], width: usize) -> Vec<&'a [f32]> {
    let mut next = |length: &usize| {
        let (own, rest) = rows.split_at(length * width);
        rows = rest;
        own
    };
    lengths.iter().map(&mut next).collect()
}

fn split_mut<'a>(mut rows: &'a mut [f32], lengths: &[usize], width: usize) -> Vec<&'a mut [f32]> {
    let mut next = |length: &usize| {
        let (own, rest) = std::mem::take(&mut rows).split_at_mut(length * width);
        rows = rest;
        own
    };
    lengths.iter().map(&mut next).collect()
}
