//! Products in bf16 by `VDPBF16PS`: pairs of products are added to sums in f32.
#![allow(
    unsafe_code,
    reason = "the inner loop reads through pointers; bounds are checked above it"
)]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use half::bf16;

use super::fma::{ROWS, begin, end};
use super::lanes::{LANES, load, mask};
use super::multiply::{COLUMNS, Micro};
use crate::buffer::Buffer;
use crate::linear::Scratch;

/// bf16 in vector registers.
pub(crate) struct Bf16;

impl Micro for Bf16 {
    type Element = u16;
    const ROWS: usize = ROWS;
    const STEP: usize = 2;
    const BLOCK: usize = 480;

    fn rows(scratch: &mut Scratch) -> (&mut Buffer<u16>, &mut Buffer<f32>) {
        (&mut scratch.terms, &mut scratch.sums)
    }

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [u16]) {
        if let Some(place) = block.get_mut((k / 2 * COLUMNS + column) * 2 + k % 2) {
            *place = bf16::from_f32(value).to_bits();
        }
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [u16]) {
        let length = tile.len() / ROWS;
        if let Some(place) = tile.get_mut(at * length..(at + 1) * length) {
            // SAFETY: the caller has AVX-512 BF16.
            unsafe { round(row, place) }
        }
    }

    unsafe fn run(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
        // SAFETY: the caller has AVX-512 BF16; `tile` checks the lengths.
        unsafe { tile(a, b, sums, first) }
    }
}

/// Rounds to the nearest bf16, ties to even.
#[target_feature(enable = "avx512f,avx512bf16,avx512vl,avx512bw")]
fn round(values: &[f32], output: &mut [u16]) {
    for (values, output) in values.chunks(LANES).zip(output.chunks_mut(LANES)) {
        let bits = to_bf16(load(values));
        // SAFETY: the mask leaves out what lies beyond the slice.
        unsafe {
            _mm256_mask_storeu_epi16(output.as_mut_ptr().cast(), mask(output.len()), bits);
        }
    }
}

/// The bits of 16 values rounded to bf16.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
pub(crate) fn to_bf16(x: __m512) -> __m256i {
    // SAFETY: both types are 256 bits that may hold anything.
    unsafe { std::mem::transmute::<__m256bh, __m256i>(_mm512_cvtneps_pbh(x)) }
}

#[target_feature(enable = "avx512f,avx512bf16")]
fn tile(a: &[u16], b: &[u16], sums: &mut [f32], first: bool) {
    let pairs = b.len() / (2 * COLUMNS);
    let stride = a.len() / (2 * ROWS);
    let Some(sums) = sums.first_chunk_mut::<{ ROWS * COLUMNS }>() else { return };
    if pairs == 0 || stride < pairs {
        return;
    }
    let mut acc = begin(sums, first);
    // SAFETY: `a` has 12 rows of `stride` pairs, of which the first `pairs` are read; `b` has
    // `pairs` rows of 64 values.
    unsafe {
        let mut rows = [0, 3, 6, 9].map(|row| a.as_ptr().cast::<i32>().add(row * stride));
        let mut b = b.as_ptr().cast::<f32>();
        for _ in 0..pairs {
            let (b0, b1) = (as_bf16(_mm512_loadu_ps(b)), as_bf16(_mm512_loadu_ps(b.add(16))));
            b = b.add(COLUMNS);
            for (row, acc) in rows.iter_mut().zip(acc.as_chunks_mut::<3>().0) {
                for (i, [low, high]) in acc.iter_mut().enumerate() {
                    let x = _mm512_set1_epi32(row.add(i * stride).read_unaligned());
                    let x = as_bf16(_mm512_castsi512_ps(x));
                    *low = _mm512_dpbf16_ps(*low, x, b0);
                    *high = _mm512_dpbf16_ps(*high, x, b1);
                }
                *row = row.add(1);
            }
        }
    }
    end(&acc, sums);
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn as_bf16(x: __m512) -> __m512bh {
    // SAFETY: both types are 512 bits that may hold anything.
    unsafe { std::mem::transmute(x) }
}
