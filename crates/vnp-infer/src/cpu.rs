//! Networks between token ids and embeddings, on the CPU.
//!
//! Sequences are packed: the tokens of several stand below each other, without padding, and every
//! linear layer takes them together; attention takes each sequence by itself. A pack is one task
//! of the current rayon pool and runs on one thread, in buffers that are kept from pack to pack.
//! Weights are packed once, as they are loaded, and exist nowhere else in memory.

pub(crate) mod dnabert;
pub(crate) mod esm2;
mod load;
mod pack;
mod pool;
mod transformer;

use std::ops::Range;
use std::sync::{Mutex, PoisonError};

use rayon::prelude::*;

use crate::Error;
use crate::network::Network;
pub(crate) use transformer::Buffers;
use transformer::Transformer;

/// A network with the buffers of its threads.
pub(crate) struct OnCpu<T> {
    tokens: T,
    transformer: Transformer,
    /// Of threads that are not at work now.
    buffers: Mutex<Vec<Buffers>>,
}

/// What is particular to one network: its token vectors and which of them make the embedding.
pub(crate) trait Tokens: Send + Sync {
    /// Writes the vectors of a sequence's tokens before the first layer, `[tokens, hidden]`.
    fn embed(&self, ids: &[u32], x: &mut [f32]) -> Result<(), vnp_kernels::Error>;

    /// The positions, of a sequence of `tokens` tokens, whose vectors make the embedding.
    fn pooled(&self, tokens: usize) -> Range<usize>;
}

impl<T: Tokens> OnCpu<T> {
    fn new(tokens: T, transformer: Transformer) -> Self {
        Self { tokens, transformer, buffers: Mutex::default() }
    }

    /// The last token vectors of sequences, packed. `observe` sees those before the first layer as
    /// 0 and those after layer n as n.
    pub(crate) fn forward<'b>(
        &self,
        sequences: &[&[u32]],
        buffers: &'b mut Buffers,
        observe: &mut dyn FnMut(usize, &[f32]),
    ) -> Result<&'b [f32], Error> {
        let lengths: Vec<usize> = sequences.iter().map(|ids| ids.len()).collect();
        let x = buffers.start(lengths.iter().sum(), self.transformer.hidden());
        let mut rest = x;
        for ids in sequences {
            let (x, after) = rest.split_at_mut(ids.len() * self.transformer.hidden());
            self.tokens.embed(ids, x).map_err(Error::kernel)?;
            rest = after;
        }
        self.transformer.forward(&lengths, buffers, observe).map_err(Error::kernel)
    }

    /// The embeddings of the sequences of a pack.
    fn pack(&self, sequences: &[&[u32]]) -> Result<Vec<Vec<f32>>, Error> {
        let lock = || self.buffers.lock().unwrap_or_else(PoisonError::into_inner);
        let mut buffers = lock().pop().unwrap_or_default();
        let hidden = self.transformer.hidden();
        let mut rest = self.forward(sequences, &mut buffers, &mut |_, _| {})?;
        let mut embeddings = Vec::with_capacity(sequences.len());
        for ids in sequences {
            let (x, after) = rest.split_at(ids.len() * hidden);
            embeddings.push(pool::mean(x, hidden, self.tokens.pooled(ids.len())));
            rest = after;
        }
        lock().push(buffers);
        Ok(embeddings)
    }
}

impl<T: Tokens> Network for OnCpu<T> {
    fn hidden_size(&self) -> usize {
        self.transformer.hidden()
    }

    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
        let hidden = self.transformer.hidden();
        let is_empty = |ids: &[u32]| self.tokens.pooled(ids.len()).is_empty();
        let lengths: Vec<usize> =
            sequences.iter().map(|ids| if is_empty(ids) { 0 } else { ids.len() }).collect();
        let threads = rayon::current_num_threads();
        let packs = pack::plan(&lengths, threads, self.transformer.packs_sequences());
        let found: Vec<Vec<Vec<f32>>> = packs
            .par_iter()
            .with_max_len(1)
            .map(|pack| {
                let ids = pack.iter().filter_map(|at| sequences.get(*at));
                self.pack(&ids.map(Vec::as_slice).collect::<Vec<_>>())
            })
            .collect::<Result<_, _>>()?;
        let mut output = vec![f32::NAN; sequences.len() * hidden];
        let mut rows: Vec<&mut [f32]> = output.chunks_exact_mut(hidden).collect();
        for (at, embedding) in packs.iter().flatten().zip(found.iter().flatten()) {
            if let Some(row) = rows.get_mut(*at) {
                row.copy_from_slice(embedding);
            }
        }
        Ok(output)
    }
}

#[cfg(test)]
mod tests;
