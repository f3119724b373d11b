//! Networks on a device of candle: a GPU, or the CPU as the reference in tests.
//!
//! A layer works on packed tokens, `[tokens, ..]`: sequences below each other, without padding.
//! Matrix products are candle's; the steps between them are computed by [`ops::Ops`], which has one
//! implementation of candle's plain operations, which runs anywhere and is the reference in tests,
//! one of fused kernels on CUDA, and one that can be differentiated, for training.
//!
//! Products and attention have the network's number format. The vectors that run from layer to
//! layer, biases, norms and means are f32 in any case.

#![expect(clippy::indexing_slicing, reason = "a plan holds indices of the rows it was made of")]

pub(crate) mod alibi;
pub(crate) mod attention;
mod budget;
pub(crate) mod differentiable;
mod feed_forward;
mod linear;
pub(crate) mod norm;
pub(crate) mod ops;
pub(crate) mod pack;
pub(crate) mod plain;
pub(crate) mod rotary;
pub(crate) mod transformer;

use std::collections::VecDeque;
use std::ops::Range;

use candle_core::{Device, Result as CandleResult, Tensor};

use crate::device::device_name;
use crate::encoder::Interrupt;
use crate::error::Error;
use crate::network::Network;
use budget::{Budget, is_out_of_memory};
use pack::{Pack, Tokens, plan};

/// What embeds one pack.
pub(crate) trait Forward: Send + Sync {
    /// The number of values in an embedding.
    fn hidden_size(&self) -> usize;

    /// The positions, of a sequence of `tokens` tokens, whose vectors are averaged to the
    /// embedding; empty for a sequence without a residue or base.
    fn pooled(&self, tokens: usize) -> Range<usize>;

    /// The embeddings of the pack's sequences, `[sequences, hidden]`, in f32. On a device this starts
    /// the work and does not wait for it.
    fn means(&self, tokens: &Tokens) -> CandleResult<Tensor>;
}

/// A network on its device, and the number of tokens that it takes at once.
pub(crate) struct CandleNetwork<N> {
    network: N,
    device: Device,
    budget: Budget,
}

/// The embeddings, still on the device, of some rows.
struct Computed {
    rows: Vec<usize>,
    means: Tensor,
}

impl<N: Forward> CandleNetwork<N> {
    /// `budget` is the tokens in a pack. It is halved whenever the device's memory is too small.
    pub(crate) fn new(network: N, device: &Device, budget: usize) -> Self {
        Self { network, device: device.clone(), budget: Budget::new(budget) }
    }

    /// Starts the computation of all sequences, the first of which is row `first`.
    fn start(
        &self,
        sequences: &[Vec<u32>],
        first: usize,
        computed: &mut Vec<Computed>,
        is_interrupted: &Interrupt<'_>,
    ) -> Result<(), Error> {
        let tokens = |row: usize| sequences[row].len();
        let packs = |rows: &mut dyn Iterator<Item = usize>| {
            VecDeque::from(plan(rows.map(|row| (row, tokens(row))), self.budget.get()))
        };
        let has_embedding = |row: &usize| !self.network.pooled(tokens(*row)).is_empty();
        let mut waiting = packs(&mut (0..sequences.len()).filter(has_embedding));
        while let Some(pack) = waiting.pop_front() {
            if is_interrupted() {
                return Err(Error::Interrupted);
            }
            let means = match self.means(sequences, &pack) {
                Err(reason) if is_out_of_memory(&reason) => {
                    // Earlier packs still hold memory until they are computed.
                    self.device.synchronize().map_err(Error::compute("embedding"))?;
                    let size = pack.iter().map(|row| tokens(*row)).sum();
                    let device = device_name(&self.device);
                    if pack.len() == 1 {
                        return Err(Error::OutOfMemory { device, tokens: size });
                    }
                    self.budget.halve(size, &device);
                    waiting = packs(&mut pack.into_iter().chain(waiting.into_iter().flatten()));
                    continue;
                }
                means => means.map_err(Error::compute("embedding"))?,
            };
            let rows = pack.into_iter().map(|row| first + row).collect();
            computed.push(Computed { rows, means });
        }
        Ok(())
    }

    /// The embeddings of some of the sequences, `[rows, hidden]`.
    fn means(&self, sequences: &[Vec<u32>], rows: &[usize]) -> CandleResult<Tensor> {
        let pack = Pack::new(rows.iter().map(|row| sequences[*row].as_slice()));
        let pooled = |tokens| self.network.pooled(tokens);
        self.network.means(&pack.upload(&self.device, pooled)?)
    }

    /// Waits for the device and puts every embedding into its row.
    fn finish(
        &self,
        rows: usize,
        computed: Vec<Computed>,
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let width = self.network.hidden_size();
        let mut output = vec![f32::NAN; rows * width];
        for Computed { rows, means } in computed {
            // Each waits for one pack.
            if is_interrupted() {
                return Err(Error::Interrupted);
            }
            let means: Vec<f32> = means
                .flatten_all()
                .and_then(|means| means.to_vec1())
                .map_err(Error::compute("embedding"))?;
            for (row, mean) in rows.into_iter().zip(means.chunks_exact(width)) {
                output[row * width..][..width].copy_from_slice(mean);
            }
        }
        Ok(output)
    }
}

impl<N: Forward> Network for CandleNetwork<N> {
    fn embed_unless(
        &self,
        sequences: &[Vec<u32>],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let mut computed = Vec::new();
        self.start(sequences, 0, &mut computed, is_interrupted)?;
        self.finish(sequences.len(), computed, is_interrupted)
    }

    fn embed_groups(
        &self,
        groups: &mut dyn Iterator<Item = Result<Vec<Vec<u32>>, Error>>,
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let (mut rows, mut computed) = (0, Vec::new());
        for group in groups {
            let group = group?;
            self.start(&group, rows, &mut computed, is_interrupted)?;
            rows += group.len();
        }
        self.finish(rows, computed, is_interrupted)
    }
}

#[cfg(test)]
mod tests;
