//! Layer normalisation in AVX-512.
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]

use std::arch::x86_64::*;

use super::lanes::{LANES, load, mask, store};

/// As [`layer_norm`](crate::norm::layer_norm), whose checks the slices have passed.
#[target_feature(enable = "avx512f")]
pub(crate) fn layer_norm(
    input: &[f32],
    output: &mut [f32],
    weight: &[f32],
    bias: &[f32],
    eps: f32,
) {
    let width = weight.len().max(1);
    let count = width as f32;
    for (row, output) in input.chunks_exact(width).zip(output.chunks_exact_mut(width)) {
        let mut sum = _mm512_setzero_ps();
        for x in row.chunks(LANES) {
            sum = _mm512_add_ps(sum, load(x));
        }
        let mean = _mm512_set1_ps(_mm512_reduce_add_ps(sum) / count);
        let mut squares = _mm512_setzero_ps();
        for x in row.chunks(LANES) {
            let x = _mm512_maskz_sub_ps(mask(x.len()), load(x), mean);
            squares = _mm512_fmadd_ps(x, x, squares);
        }
        let variance = _mm512_reduce_add_ps(squares) / count;
        let scale = _mm512_set1_ps(1.0 / (variance + eps).sqrt());
        let affine = weight.chunks(LANES).zip(bias.chunks(LANES));
        for ((x, output), (weight, bias)) in
            row.chunks(LANES).zip(output.chunks_mut(LANES)).zip(affine)
        {
            let x = _mm512_mul_ps(_mm512_sub_ps(load(x), mean), scale);
            store(output, _mm512_fmadd_ps(x, load(weight), load(bias)));
        }
    }
}
