//! Networks between token ids and embeddings, on a device of candle.

pub(crate) mod dnabert;
pub(crate) mod esm2;

use std::ops::Range;

use candle_core::{DType, Device, Result as CandleResult, Tensor};
use rayon::prelude::*;

use crate::batch::{TokenBatch, plan};
use crate::kernel::Kernels;
use crate::{Error, pool};

/// The part of an encoder between token ids and embeddings.
pub(crate) trait Network: Send + Sync {
    /// The number of values in an embedding.
    fn hidden_size(&self) -> usize;

    /// The embeddings of tokenised sequences, `[sequences, hidden]`; NaN for a sequence without a
    /// residue or base.
    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error>;
}

/// The token vectors of a network of candle's tensors.
pub(crate) trait Forward: Send + Sync {
    /// The size of a token vector.
    fn hidden_size(&self) -> usize;

    /// The id that fills the ends of a padded batch.
    fn padding(&self) -> u32;

    /// The positions, of a sequence of `tokens` tokens, whose vectors make the embedding; empty
    /// for a sequence without a residue or base.
    fn pooled(&self, tokens: usize) -> Range<usize>;

    /// The last token vectors, `[rows, length, hidden]`. `observe` sees the vectors before the
    /// first layer as 0 and those after layer n as n. [`Kernels::Own`] takes no padding.
    fn forward(
        &self,
        batch: &TokenBatch,
        kernels: Kernels,
        observe: &mut dyn FnMut(usize, &Tensor),
    ) -> CandleResult<Tensor>;
}

/// A network with the kernels of its device, and the tokens that it takes at once.
pub(crate) struct OnCandle<N> {
    network: N,
    kernels: Kernels,
    budget: usize,
}

impl<N: Forward> OnCandle<N> {
    pub(crate) fn new(network: N, device: &Device, budget: usize) -> Self {
        Self { network, kernels: Kernels::for_device(device), budget }
    }
}

impl<N: Forward> Network for OnCandle<N> {
    fn hidden_size(&self) -> usize {
        self.network.hidden_size()
    }

    fn embed(&self, sequences: &[Vec<u32>]) -> Result<Vec<f32>, Error> {
        embed_tokens(&self.network, self.kernels, self.budget, sequences)
            .map_err(Error::compute("embedding"))
    }
}

/// The embeddings of tokenised sequences: each alone with this crate's kernels, or in padded
/// batches of at most `budget` tokens with candle's.
pub(crate) fn embed_tokens(
    network: &dyn Forward,
    kernels: Kernels,
    budget: usize,
    sequences: &[Vec<u32>],
) -> CandleResult<Vec<f32>> {
    let width = network.hidden_size();
    let mut output = vec![f32::NAN; sequences.len() * width];
    match kernels {
        Kernels::Own => output
            .par_chunks_exact_mut(width.max(1))
            .zip(sequences.par_iter())
            .with_max_len(1)
            .try_for_each(|(row, ids)| {
                row.copy_from_slice(&embed_alone(network, ids)?);
                CandleResult::Ok(())
            })?,
        Kernels::Candle => {
            let lengths: Vec<usize> = sequences.iter().map(Vec::len).collect();
            let mut rows: Vec<&mut [f32]> = output.chunks_exact_mut(width.max(1)).collect();
            for indices in plan(&lengths, budget) {
                let found = embed_batch(network, sequences, &indices)?;
                for (index, found) in indices.iter().zip(found) {
                    let empty = lengths.get(*index).is_none_or(|n| network.pooled(*n).is_empty());
                    if let (Some(row), false) = (rows.get_mut(*index), empty) {
                        row.copy_from_slice(&found);
                    }
                }
            }
        }
    }
    Ok(output)
}

fn embed_alone(network: &dyn Forward, ids: &[u32]) -> CandleResult<Vec<f32>> {
    let width = network.hidden_size();
    let pooled = network.pooled(ids.len());
    if pooled.is_empty() {
        return Ok(vec![f32::NAN; width]);
    }
    let batch = TokenBatch::new(&[ids], network.padding());
    let hidden = network.forward(&batch, Kernels::Own, &mut |_, _| {})?;
    Ok(pool::mean(&hidden.flatten_all()?.to_vec1()?, width, pooled))
}

fn embed_batch(
    network: &dyn Forward,
    sequences: &[Vec<u32>],
    indices: &[usize],
) -> CandleResult<Vec<Vec<f32>>> {
    let rows: Vec<&[u32]> =
        indices.iter().filter_map(|index| sequences.get(*index)).map(Vec::as_slice).collect();
    let batch = TokenBatch::new(&rows, network.padding());
    let hidden = network.forward(&batch, Kernels::Candle, &mut |_, _| {})?;
    pool::mean_of_batch(&hidden, &batch, |tokens| network.pooled(tokens))?.to_vec2()
}

/// The score bias that hides padding, `[batch, 1, 1, length]`: 0 for a token, -10,000 for padding,
/// far below any score, so that its weight is exactly zero in f32. None without padding.
fn padding_bias(batch: &TokenBatch, device: &Device) -> CandleResult<Option<Tensor>> {
    if !batch.is_padded() {
        return Ok(None);
    }
    let hidden =
        |length: usize| (0..batch.length).map(move |i| if i < length { 0.0 } else { -1e4 });
    let bias: Vec<f32> = batch.lengths.iter().flat_map(|length| hidden(*length)).collect();
    Tensor::from_vec(bias, (batch.rows(), 1, 1, batch.length), device).map(Some)
}

/// Looks up token vectors: `[vocabulary, hidden]` to `[rows, length, hidden]`.
fn look_up(table: &Tensor, batch: &TokenBatch, device: &Device) -> CandleResult<Tensor> {
    let ids = Tensor::from_slice(&batch.ids, batch.ids.len(), device)?;
    table.index_select(&ids, 0)?.reshape((batch.rows(), batch.length, ()))
}

/// A number a token, `[rows, length, 1]`, to multiply token vectors with.
fn per_token(
    values: Vec<f32>,
    batch: &TokenBatch,
    dtype: DType,
    device: &Device,
) -> CandleResult<Tensor> {
    Tensor::from_vec(values, (batch.rows(), batch.length, 1), device)?.to_dtype(dtype)
}
