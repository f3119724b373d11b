//! Products in f32 by fused multiply-add.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use super::multiply::{COLUMNS, Micro};
use super::tile::{self, ROWS, begin, end};
use super::transpose::interleave;

/// f32: a word is a value.
pub(crate) struct Fma;

impl Micro for Fma {
    const BLOCK: usize = 320;

    fn words(inputs: usize) -> usize {
        inputs.next_multiple_of(tile::STEP)
    }

    unsafe fn convert(values: &[f32], words: &mut [u32]) {
        let (words, rest) = words.split_at_mut(values.len().min(words.len()));
        words.iter_mut().zip(values).for_each(|(word, value)| *word = value.to_bits());
        rest.fill(0);
    }

    /// Values are words as they are.
    #[target_feature(enable = "avx512f")]
    unsafe fn pack<'x>(
        rows: impl ExactSizeIterator<Item = &'x [f32]>,
        _: &mut [u32],
        tile: &mut [u32],
    ) {
        interleave(rows, ROWS, tile);
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
