//! Queries, keys and values before attention, and the gradient of that step.

#![expect(clippy::indexing_slicing, reason = "the tables reach every position: `Rotary::check`")]

use candle_core::{CpuStorage, CustomOp2, Layout, Result, Shape, Tensor, WithDType as _};
use rayon::prelude::*;

use super::rows::{BLOCK, column_sums, values, with};
use crate::architecture::plan::Heads;
use crate::candle::pack::Tokens;
use crate::candle::rotary::Rotary;

/// Adds a bias to rows `query | key | value`, scales the queries and, with rotary positions,
/// rotates queries and keys.
pub(super) struct Prepare {
    heads: Heads,
    turns: Option<Turns>,
}

/// The rotations of the rows.
struct Turns {
    /// `[positions, head size / 2]`
    cosines: Vec<f32>,
    sines: Vec<f32>,
    half: usize,
    /// The position of each row.
    positions: Vec<usize>,
}

impl Prepare {
    pub(super) fn new(heads: Heads, rotary: Option<&Rotary>, tokens: &Tokens) -> Result<Self> {
        let turns = |rotary: &Rotary| {
            rotary.check(tokens)?;
            Ok::<_, candle_core::Error>(Turns {
                cosines: rotary.cosines.flatten_all()?.to_vec1()?,
                sines: rotary.sines.flatten_all()?.to_vec1()?,
                half: rotary.cosines.dim(1)?,
                positions: tokens.pack.lengths.iter().flat_map(|length| 0..*length).collect(),
            })
        };
        Ok(Self { heads, turns: rotary.map(turns).transpose()? })
    }

    /// Scales and turns the rows, of which the first is row `first`; `backward` undoes the turn.
    fn turn(&self, rows: &mut [f32], first: usize, backward: bool) {
        let hidden = self.heads.count * self.heads.size;
        for (index, row) in rows.chunks_exact_mut(3 * hidden).enumerate() {
            let (queries, rest) = row.split_at_mut(hidden);
            queries.iter_mut().for_each(|query| *query *= self.heads.scale());
            let Some(turns) = &self.turns else { continue };
            let keys = &mut rest[..hidden];
            for part in [queries, keys] {
                for head in part.chunks_exact_mut(self.heads.size) {
                    turns.apply(head, first + index, backward);
                }
            }
        }
    }
}

impl Turns {
    fn apply(&self, head: &mut [f32], row: usize, backward: bool) {
        let start = self.positions[row] * self.half;
        let (cosines, sines) =
            (&self.cosines[start..][..self.half], &self.sines[start..][..self.half]);
        let (low, high) = head.split_at_mut(self.half);
        for ((low, high), (cosine, sine)) in low.iter_mut().zip(high).zip(cosines.iter().zip(sines))
        {
            let sine = if backward { -sine } else { *sine };
            (*low, *high) = (*low * cosine - *high * sine, *high * cosine + *low * sine);
        }
    }
}

impl CustomOp2 for Prepare {
    fn name(&self) -> &'static str {
        "prepare"
    }

    fn cpu_fwd(
        &self,
        qkv: &CpuStorage,
        qkv_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut prepared = values(qkv, qkv_layout)?.to_vec();
        let bias = values(bias, bias_layout)?;
        let width = bias.len().max(1);
        prepared.par_chunks_mut(BLOCK * width).enumerate().for_each(|(block, rows)| {
            for row in rows.chunks_exact_mut(width) {
                row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
            }
            self.turn(rows, block * BLOCK, false);
        });
        Ok((f32::to_cpu_storage_owned(prepared), qkv_layout.shape().clone()))
    }

    fn bwd(
        &self,
        qkv: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        outer: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let width = bias.elem_count();
        // A turn's gradient is the turn back; the scale is the same either way.
        let inner = with(outer, |outer| {
            let mut inner = outer.to_vec();
            inner
                .par_chunks_mut(BLOCK * width.max(1))
                .enumerate()
                .for_each(|(block, rows)| self.turn(rows, block * BLOCK, true));
            Ok(inner)
        })?;
        let of_bias = Tensor::from_vec(column_sums(&inner, width), width, bias.device())?;
        Ok((Some(Tensor::from_vec(inner, qkv.shape(), qkv.device())?), Some(of_bias)))
    }
}
