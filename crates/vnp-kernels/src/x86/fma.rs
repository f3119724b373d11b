//! Products in f32 by fused multiply-add.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use std::arch::x86_64::__m512;

use super::lanes::load;
use super::micro::{Micro, Scaling};
use super::tile::{self, COLUMNS, ROWS, begin, end};

/// f32: a word is a value.
pub(crate) struct Fma;

impl Micro for Fma {
    const BLOCK: usize = 320;
    const OF_A_WORD: usize = 1;
    const SCALED: bool = false;

    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn vector(values: &[f32], _: &Scaling) -> __m512 {
        load(values)
    }

    #[target_feature(enable = "avx512f")]
    unsafe fn run(
        a: &[u32],
        b: &[u32],
        sums: &mut [f32; ROWS * COLUMNS],
        first: bool,
        between: &mut impl FnMut(),
    ) {
        let mut acc = begin(sums, first);
        tile::multiply_add(a, b, &mut acc, between);
        end(&acc, sums);
    }
}
