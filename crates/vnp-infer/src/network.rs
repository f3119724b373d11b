//! Networks between token ids and embeddings, on a device of candle.

pub(crate) mod budget;
pub(crate) mod dnabert;
pub(crate) mod esm2;
#[cfg(test)]
mod packing;
#[cfg(test)]
pub(crate) mod precision;

use std::collections::VecDeque;
use std::ops::Range;

use candle_core::{Device, Result as CandleResult, Tensor};

use crate::Error;
use crate::batch::{Pack, Tokens, plan};
use crate::device::device_name;
use crate::layer::ops;
use budget::{Budget, is_out_of_memory};

/// The part of an encoder between token ids and embeddings.
pub(crate) trait Network: Send + Sync {
    /// The number of values in an embedding.
    fn hidden_size(&self) -> usize;

    /// The embeddings of tokenised sequences, `[sequences, hidden]`; NaN for a sequence without a
    /// residue or base.
    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error>;

    /// The same of sequences that come in groups. On a device, a group is taken from the iterator
    /// while the one before is computed.
    fn embed_groups(
        &self,
        groups: &mut dyn Iterator<Item = Result<Vec<Vec<u32>>, Error>>,
    ) -> Result<Vec<f32>, Error> {
        let sequences = groups.collect::<Result<Vec<_>, _>>()?.concat();
        self.embed(&sequences)
    }
}

/// The token vectors of a network of candle's tensors.
pub(crate) trait Forward: Send + Sync {
    /// The size of a token vector.
    fn hidden_size(&self) -> usize;

    /// The positions, of a sequence of `tokens` tokens, whose vectors make the embedding; empty
    /// for a sequence without a residue or base.
    fn pooled(&self, tokens: usize) -> Range<usize>;

    /// The last token vectors, `[tokens, hidden]`, in f32. `observe` sees the vectors before the
    /// first layer as 0 and those after layer n as n. On a device this starts the work and does
    /// not wait for it.
    fn forward(
        &self,
        tokens: &Tokens,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor>;
}

/// A network on its device, and the tokens that it takes at once.
pub(crate) struct OnCandle<N> {
    network: N,
    device: Device,
    budget: Budget,
}

/// The embeddings, still on the device, of some rows.
struct Computed {
    rows: Vec<usize>,
    means: Tensor,
}

impl<N: Forward> OnCandle<N> {
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
    ) -> Result<(), Error> {
        let tokens = |row: usize| sequences.get(row).map_or(0, Vec::len);
        let packs = |rows: &mut dyn Iterator<Item = usize>| {
            VecDeque::from(plan(rows.map(|row| (row, tokens(row))), self.budget.get()))
        };
        let has_embedding = |row: &usize| !self.network.pooled(tokens(*row)).is_empty();
        let mut waiting = packs(&mut (0..sequences.len()).filter(has_embedding));
        while let Some(pack) = waiting.pop_front() {
            let means = match self.means(sequences, &pack) {
                Err(reason) if is_out_of_memory(&reason) => {
                    // What is under way still holds memory.
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
        let ids = rows.iter().filter_map(|row| sequences.get(*row)).map(Vec::as_slice);
        let pooled = |tokens| self.network.pooled(tokens);
        let tokens = Pack::new(ids).upload(&self.device, pooled)?;
        let hidden = self.network.forward(&tokens, &mut |_, _| {})?;
        ops::for_device(&self.device).mean(&hidden, &tokens)
    }

    /// Waits for the device and puts every embedding into its row.
    fn finish(&self, rows: usize, computed: Vec<Computed>) -> Result<Vec<f32>, Error> {
        let width = self.hidden_size();
        let mut output = vec![f32::NAN; rows * width];
        for Computed { rows, means } in computed {
            let means: Vec<f32> = means
                .flatten_all()
                .and_then(|means| means.to_vec1())
                .map_err(Error::compute("embedding"))?;
            for (row, mean) in rows.into_iter().zip(means.chunks_exact(width)) {
                if let Some(place) = output.get_mut(row * width..(row + 1) * width) {
                    place.copy_from_slice(mean);
                }
            }
        }
        Ok(output)
    }
}

impl<N: Forward> Network for OnCandle<N> {
    fn hidden_size(&self) -> usize {
        self.network.hidden_size()
    }

    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
        let mut computed = Vec::new();
        self.start(sequences, 0, &mut computed)?;
        self.finish(sequences.len(), computed)
    }

    fn embed_groups(
        &self,
        groups: &mut dyn Iterator<Item = Result<Vec<Vec<u32>>, Error>>,
    ) -> Result<Vec<f32>, Error> {
        let (mut rows, mut computed) = (0, Vec::new());
        for group in groups {
            let group = group?;
            self.start(&group, rows, &mut computed)?;
            rows += group.len();
        }
        self.finish(rows, computed)
    }
}

impl<N: Forward + ?Sized> Forward for &N {
    fn hidden_size(&self) -> usize {
        (**self).hidden_size()
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        (**self).pooled(tokens)
    }

    fn forward(
        &self,
        tokens: &Tokens,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor> {
        (**self).forward(tokens, observe)
    }
}
