//! Products in bf16 by `VDPBF16PS`: pairs of products are added to sums in f32.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use super::lanes::{LANES, load, store_halves};
use super::multiply::{COLUMNS, Micro};
use super::tile::{self, ROWS, begin, end};

/// bf16: a word is two values.
pub(crate) struct Bf16;

impl Micro for Bf16 {
    const BLOCK: usize = 480;

    fn words(inputs: usize) -> usize {
        inputs.div_ceil(2).next_multiple_of(tile::STEP)
    }

    /// Rounds to the nearest, ties to even.
    #[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
    unsafe fn convert(values: &[f32], words: &mut [u32]) {
        words.fill(0);
        for (values, words) in values.chunks(LANES).zip(words.chunks_mut(LANES / 2)) {
            store_halves(words, to_bf16(load(values)));
        }
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn run(
        a: &[u32],
        b: &[u32],
        sums: &mut [f32; ROWS * COLUMNS],
        first: bool,
        between: &mut impl FnMut(),
    ) {
        let mut acc = begin(sums, first);
        tile::multiply_bf16(a, b, &mut acc, between);
        end(&acc, sums);
    }
}

/// The bits of 16 values rounded to bf16.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn to_bf16(x: __m512) -> __m256i {
    // SAFETY: both types are 256 bits that may hold anything.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
}
