//! The embedding of a sequence: the mean of its token vectors.

use std::ops::Range;

/// The mean of the rows `tokens` of `hidden`, `[length, width]`, added up in f64 from the first to
/// the last. NaN where there are no rows: an empty sequence has no embedding.
pub(super) fn of_rows(hidden: &[f32], width: usize, tokens: Range<usize>) -> Vec<f32> {
    let mut sums = vec![0.0_f64; width];
    let count = tokens.len() as f64;
    for row in hidden.chunks_exact(width.max(1)).skip(tokens.start).take(tokens.len()) {
        for (sum, x) in sums.iter_mut().zip(row) {
            *sum += f64::from(*x);
        }
    }
    sums.iter().map(|sum| (sum / count) as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_of_ranges() {
        let hidden = [1., 10., 2., 20., 4., 40.];
        assert_eq!(of_rows(&hidden, 2, 0..3), [7. / 3., 70. / 3.].map(|x: f64| x as f32));
        assert_eq!(of_rows(&hidden, 2, 1..2), [2., 20.]);
        assert!(of_rows(&hidden, 2, 1..1).iter().all(|x| x.is_nan()));
    }
}
