//! Products in bf16 by `VDPBF16PS`: pairs of products are added to sums in f32.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]

use std::arch::x86_64::*;

use super::lanes::{LANES, after, load};
use super::micro::{Micro, Scaling};
use super::tile::{self, COLUMNS, ROWS, begin, end};

/// bf16: a word is two values.
pub(crate) struct Bf16;

impl Micro for Bf16 {
    const BLOCK: usize = 480;
    const OF_A_WORD: usize = 2;
    const SCALED: bool = false;

    /// Rounds to the nearest, ties to even.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bf16")]
    unsafe fn vector(values: &[f32], _: &Scaling) -> __m512 {
        let (low, high) = (load(values), load(after(values, LANES)));
        // SAFETY: both types are 512 bits that may hold anything.
        unsafe { std::mem::transmute::<__m512bh, __m512>(_mm512_cvtne2ps_pbh(high, low)) }
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
