//! Access to the rows of tensors as slices, and sums over them.

use candle_core::{CpuStorage, Layout, Result, Storage, Tensor, bail};
use rayon::prelude::*;

/// Rows that one thread computes at a time. Sums over rows are sums over blocks of these first, so
/// that they do not depend on the number of threads.
pub(super) const BLOCK: usize = 256;

/// The values of an operation's argument.
pub(super) fn values<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    let CpuStorage::F32(values) = storage else { bail!("training is in f32") };
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("a tensor has gaps") };
    let Some(values) = values.get(start..end) else { bail!("a tensor lies beyond its storage") };
    Ok(values)
}

/// Calls `f` with the values of a tensor.
pub(super) fn with<R>(tensor: &Tensor, f: impl FnOnce(&[f32]) -> Result<R>) -> Result<R> {
    let tensor = tensor.contiguous()?;
    let (storage, layout) = tensor.storage_and_layout();
    match &*storage {
        Storage::Cpu(storage) => f(values(storage, layout)?),
        _ => bail!("encoders are trained on a CPU"),
    }
}

/// Calls `f` with the values of two tensors.
pub(super) fn with_both<R>(
    (a, b): (&Tensor, &Tensor),
    f: impl FnOnce(&[f32], &[f32]) -> Result<R>,
) -> Result<R> {
    with(a, |a| with(b, |b| f(a, b)))
}

/// The sum of all rows.
pub(super) fn column_sums(values: &[f32], width: usize) -> Vec<f32> {
    let blocks: Vec<Vec<f32>> = values
        .par_chunks(BLOCK * width.max(1))
        .map(|block| {
            let mut sums = vec![0.0; width];
            for row in block.chunks_exact(width.max(1)) {
                add(&mut sums, row);
            }
            sums
        })
        .collect();
    total(&blocks, width)
}

/// The sum of the blocks' sums, from the first to the last.
pub(super) fn total(blocks: &[Vec<f32>], width: usize) -> Vec<f32> {
    let mut sums = vec![0.0; width];
    blocks.iter().for_each(|block| add(&mut sums, block));
    sums
}

fn add(sums: &mut [f32], row: &[f32]) {
    for (sum, x) in sums.iter_mut().zip(row) {
        *sum += x;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_added_up() {
        let values: Vec<f32> = (0..3 * 600).map(|i| (i % 3) as f32).collect();
        assert_eq!(column_sums(&values, 3), [0.0, 600.0, 1200.0]);
        assert_eq!(column_sums(&[], 2), [0.0, 0.0]);
    }
}
