//! Kernels over the rows of a matrix: layer norm, softmax and the filling of outputs.
//!
//! A row is added up in 16 lanes whatever the instruction set, so that the order of additions,
//! and with it every bit, is the same everywhere.

use pulp::{Arch, Simd, WithSimd};

use super::elementwise::exp_of_negative;

const LANES: usize = 16;

/// Normalises each row of `input` into `output`: `(x - mean) / sqrt(variance + eps) * weight + bias`
/// with the variance over n. Rows are as wide as `weight` and `bias`.
pub(crate) fn layer_norm(
    input: &[f32],
    output: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) {
    Arch::new().dispatch(LayerNorm { input, output, weight, bias, eps });
}

/// The softmax of each row of `scores`, in place, without its division: each score plus
/// `-slope * |key - query|` is replaced by its exponential, and `scales` gets one over each row's sum.
/// Row `r` is the query at `first_query + r`. A NaN makes its row's scale NaN.
pub(crate) fn softmax(
    scores: &mut [f32],
    scales: &mut [f32],
    length: usize,
    first_query: usize,
    slope: f32,
) {
    Arch::new().dispatch(Softmax { scores, scales, length, first_query, slope });
}

struct LayerNorm<'a> {
    input: &'a [f32],
    output: &'a mut [f32],
    weight: &'a [f32],
    bias: &'a [f32],
    eps: f32,
}

impl WithSimd for LayerNorm<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { input, output, weight, bias, eps } = self;
        let width = weight.len();
        let count = width as f32;
        for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
            let mean = sum_of(row, |x| x) / count;
            let variance = sum_of(row, |x| (x - mean) * (x - mean)) / count;
            let scale = 1.0 / (variance + eps).sqrt();
            let affine = weight.iter().zip(bias);
            for ((output, x), (weight, bias)) in output.iter_mut().zip(row).zip(affine) {
                *output = (x - mean) * scale * weight + bias;
            }
        }
    }
}

struct Softmax<'a> {
    scores: &'a mut [f32],
    scales: &'a mut [f32],
    length: usize,
    first_query: usize,
    slope: f32,
}

impl WithSimd for Softmax<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.scores.chunks_exact_mut(self.length).zip(self.scales);
        for (query, (row, scale)) in rows.enumerate() {
            if self.slope != 0.0 {
                add_distance(row, (self.first_query + query) as f32, self.slope);
            }
            *scale = 1.0 / exponentials(row);
        }
    }
}

/// Replaces a row by the exponentials of its differences to its largest element, and adds them up.
#[inline(always)]
fn exponentials(row: &mut [f32]) -> f32 {
    let largest = max_of(row);
    let (blocks, rest) = row.as_chunks_mut::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *x = exp_of_negative(*x - largest);
            *lane += *x;
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *x = exp_of_negative(*x - largest);
        *lane += *x;
    }
    halve(lanes, |a, b| a + b)
}

/// Fills each row of `output` with `bias`.
pub(crate) fn fill_rows(output: &mut [f32], bias: &[f32]) {
    for row in output.chunks_exact_mut(bias.len().max(1)) {
        row.copy_from_slice(bias);
    }
}

/// Adds `bias` to each row of `output`.
pub(crate) fn add_rows(output: &mut [f32], bias: &[f32]) {
    for row in output.chunks_exact_mut(bias.len().max(1)) {
        for (output, bias) in row.iter_mut().zip(bias) {
            *output += bias;
        }
    }
}

#[inline(always)]
fn add_distance(row: &mut [f32], query: f32, slope: f32) {
    for (key, score) in row.iter_mut().enumerate() {
        // Distances are exact in f32 up to 2^24 tokens.
        *score -= slope * (key as u32 as f32 - query).abs();
    }
}

/// The sum of `map` over a row.
#[inline(always)]
pub(crate) fn sum_of(row: &[f32], map: impl Fn(f32) -> f32) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [0.0; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane += map(*x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane += map(*x);
    }
    halve(lanes, |a, b| a + b)
}

/// The sum of the products of two rows of equal length.
#[inline(always)]
pub(crate) fn dot(a: &[f32], b: &[f32]) -> f32 {
    let ((blocks, rest), (other_blocks, other_rest)) =
        (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in blocks.iter().zip(other_blocks) {
        for (lane, (a, b)) in lanes.iter_mut().zip(a.iter().zip(b)) {
            *lane += a * b;
        }
    }
    for (lane, (a, b)) in lanes.iter_mut().zip(rest.iter().zip(other_rest)) {
        *lane += a * b;
    }
    halve(lanes, |a, b| a + b)
}

/// The largest element. NaN is ignored here; it reaches the softmax's sum instead.
#[inline(always)]
fn max_of(row: &[f32]) -> f32 {
    let (blocks, rest) = row.as_chunks::<LANES>();
    let mut lanes = [f32::NEG_INFINITY; LANES];
    for block in blocks {
        for (lane, x) in lanes.iter_mut().zip(block) {
            *lane = larger(*lane, *x);
        }
    }
    for (lane, x) in lanes.iter_mut().zip(rest) {
        *lane = larger(*lane, *x);
    }
    halve(lanes, larger)
}

#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

/// Folds 16 lanes pairwise: 16 to 8 to 4 to 2 to 1.
#[inline(always)]
fn halve(mut lanes: [f32; LANES], join: impl Fn(f32, f32) -> f32) -> f32 {
    let mut half = LANES / 2;
    while half > 0 {
        let (low, high) = lanes.split_at_mut(half);
        for (low, high) in low.iter_mut().zip(high) {
            *low = join(*low, *high);
        }
        half /= 2;
    }
    let [first, ..] = lanes;
    first
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(length: usize) -> Vec<f32> {
        (0..length).map(|i| ((i * 37 % 101) as f32 - 50.0) / 7.0).collect()
    }

    fn close(found: &[f32], expected: impl Iterator<Item = f64>) {
        for (found, expected) in found.iter().zip(expected) {
            assert!((f64::from(*found) - expected).abs() < 2e-6, "{found} is not {expected}");
        }
    }

    #[test]
    fn norm_of_any_width() {
        for width in [1, 3, 16, 20, 64, 100] {
            let input = row(2 * width);
            let mut found = vec![0.0; 2 * width];
            layer_norm(&input, &mut found, &vec![2.0; width], &vec![1.0; width], 1e-5);
            for (input, found) in input.chunks(width).zip(found.chunks(width)) {
                let n = width as f64;
                let mean = input.iter().map(|x| f64::from(*x)).sum::<f64>() / n;
                let variance =
                    input.iter().map(|x| (f64::from(*x) - mean).powi(2)).sum::<f64>() / n;
                let expected = input
                    .iter()
                    .map(|x| (f64::from(*x) - mean) / (variance + 1e-5).sqrt() * 2.0 + 1.0);
                close(found, expected);
            }
        }
    }

    #[test]
    fn softmax_of_any_length() {
        for length in [1, 2, 15, 16, 17, 100] {
            let scores = row(3 * length);
            let mut found = scores.clone();
            let mut scales = [0.0; 3];
            softmax(&mut found, &mut scales, length, 5, 0.25);
            let rows = scores.chunks(length).zip(found.chunks(length)).zip(scales);
            for (query, ((scores, found), scale)) in rows.enumerate() {
                let found: Vec<f32> = found.iter().map(|x| x * scale).collect();
                let raised: Vec<f64> = scores
                    .iter()
                    .enumerate()
                    .map(|(key, x)| {
                        (f64::from(*x) - 0.25 * (key as f64 - (query + 5) as f64).abs()).exp()
                    })
                    .collect();
                let sum: f64 = raised.iter().sum();
                close(&found, raised.iter().map(|x| x / sum));
            }
        }
    }

    #[test]
    fn nan_spreads_over_its_row_only() {
        let mut scores = [1.0, f32::NAN, 3.0, 1.0, 2.0, 3.0];
        let mut scales = [0.0; 2];
        softmax(&mut scores, &mut scales, 3, 0, 0.0);
        assert!(scales[0].is_nan());
        assert!(scales[1].is_finite() && scores[3..].iter().all(|x| x.is_finite()));
    }
}
