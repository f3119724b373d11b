//! From one vector a token to one a sequence.

use std::ops::Range;

use candle_core::{DType, Result, Tensor};

use crate::batch::TokenBatch;

/// The mean of some of the rows of `hidden`, `[length, width]`, added up in f64 from the first to
/// the last. NaN where there are no rows: an empty sequence has no embedding.
pub(crate) fn mean(hidden: &[f32], width: usize, tokens: Range<usize>) -> Vec<f32> {
    let mut sums = vec![0.0_f64; width];
    let count = tokens.len() as f64;
    for row in hidden.chunks_exact(width.max(1)).skip(tokens.start).take(tokens.len()) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += f64::from(*x);
        }
    }
    sums.iter().map(|sum| (sum / count) as f32).collect()
}

/// The same for a padded batch on its device: `hidden` is `[batch, length, width]`, the result
/// `[batch, width]` in f32. Positions outside a sequence's range, padding included, do not count.
pub(crate) fn mean_of_batch(
    hidden: &Tensor,
    batch: &TokenBatch,
    tokens: impl Fn(usize) -> Range<usize>,
) -> Result<Tensor> {
    let weights: Vec<f32> = batch
        .lengths
        .iter()
        .flat_map(|length| {
            let tokens = tokens(*length);
            let share = 1.0 / tokens.len() as f32;
            (0..batch.length).map(move |i| if tokens.contains(&i) { share } else { 0.0 })
        })
        .collect();
    let weights = Tensor::from_vec(weights, (batch.rows(), 1, batch.length), hidden.device())?;
    weights.matmul(&hidden.to_dtype(DType::F32)?)?.squeeze(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_ranges() {
        let hidden = [1., 10., 2., 20., 4., 40.];
        assert_eq!(mean(&hidden, 2, 0..3), [7. / 3., 70. / 3.].map(|x: f64| x as f32));
        assert_eq!(mean(&hidden, 2, 1..2), [2., 20.]);
        assert!(mean(&hidden, 2, 1..1).iter().all(|x| x.is_nan()));
    }

    #[test]
    fn padding_does_not_count() {
        let batch = TokenBatch::new(&[&[0, 0, 0], &[0]], 0);
        let hidden = [1_f32, 2., 6., 5., 100., 100.];
        let hidden = Tensor::from_slice(&hidden, (2, 3, 1), &candle_core::Device::Cpu).unwrap();
        let found = mean_of_batch(&hidden, &batch, |length| 0..length).unwrap();
        assert_eq!(found.to_vec2::<f32>().unwrap(), [[3.], [5.]]);
    }
}
