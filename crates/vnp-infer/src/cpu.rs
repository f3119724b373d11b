//! Networks on the CPU, with the kernels of `vnp-kernels`.
//!
//! Sequences are packed: the tokens of several lie below each other, without padding, and every
//! linear layer takes them together; attention takes each sequence by itself. A pack is one task
//! of the current rayon pool and runs on one thread, in buffers that are kept from pack to pack.
//! Weights are packed once, as they are loaded, and exist nowhere else in memory.

#![expect(
    clippy::indexing_slicing,
    reason = "a plan holds indices of the sequences it was made of"
)]

mod embedding;
mod load;
mod mean;
mod norm;
mod pack;
pub(crate) mod transformer;

use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;
use vnp_kernels::{Cpu, Precision};

use crate::architecture::plan::Plan;
use crate::encoder::Interrupt;
use crate::error::Error;
use crate::network::Network;
use crate::weights::Weights;
use transformer::{Buffers, Transformer};

/// A network with the buffers of its threads.
pub(crate) struct CpuNetwork {
    pub(crate) transformer: Transformer,
    /// The buffers that no thread uses now.
    buffers: Mutex<Vec<Buffers>>,
}

impl CpuNetwork {
    /// Loads a network.
    pub(crate) fn load(
        plan: &Plan,
        weights: &Weights,
        cpu: Cpu,
        precision: Precision,
    ) -> Result<Self, Error> {
        let transformer = load::transformer(plan, weights, cpu, precision)?;
        Ok(Self { transformer, buffers: Mutex::default() })
    }

    /// The embeddings of the sequences of a pack.
    fn pack(
        &self,
        sequences: &[&[u32]],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<Vec<f32>>, Error> {
        let lock = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = lock().pop().unwrap_or_default();
        let hidden = self.transformer.hidden();
        let observe = &mut |_: usize, _: &[f32]| {};
        let mut rest =
            self.transformer.forward(sequences, &mut buffers, observe, is_interrupted)?;
        let mut embeddings = Vec::with_capacity(sequences.len());
        for ids in sequences {
            let (x, after) = rest.split_at(ids.len() * hidden);
            embeddings.push(mean::of_rows(x, hidden, (self.transformer.pooled)(ids.len())));
            rest = after;
        }
        lock().push(buffers);
        Ok(embeddings)
    }
}

impl Network for CpuNetwork {
    fn embed_unless(
        &self,
        sequences: &[Vec<u32>],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, Error> {
        let hidden = self.transformer.hidden();
        let is_empty = |ids: &[u32]| (self.transformer.pooled)(ids.len()).is_empty();
        let lengths: Vec<usize> =
            sequences.iter().map(|ids| if is_empty(ids) { 0 } else { ids.len() }).collect();
        let threads = rayon::current_num_threads();
        let packs = pack::plan(&lengths, threads, self.transformer.packs_sequences());
        let found: Vec<Vec<Vec<f32>>> = packs
            .par_iter()
            .with_max_len(1)
            .map(|pack| {
                let ids = pack.iter().map(|index| sequences[*index].as_slice());
                self.pack(&ids.collect::<Vec<_>>(), is_interrupted)
            })
            .collect::<Result<_, _>>()?;
        let mut output = vec![f32::NAN; sequences.len() * hidden];
        for (index, embedding) in packs.iter().flatten().zip(found.iter().flatten()) {
            output[index * hidden..][..hidden].copy_from_slice(embedding);
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests;
