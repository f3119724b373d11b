//! Products in f32 by fused multiply-add: tiles of 12 rows and 32 columns, 24 sums in registers.
#![allow(
    unsafe_code,
    reason = "the inner loop reads through pointers; bounds are checked above it"
)]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use super::lanes::{LANES, load, store};
use super::multiply::{COLUMNS, Micro};
use crate::buffer::Buffer;
use crate::linear::Scratch;

/// Rows of a tile.
pub(crate) const ROWS: usize = 12;

/// f32 by fused multiply-add.
pub(crate) struct Fma;

impl Micro for Fma {
    type Element = f32;
    const ROWS: usize = ROWS;
    const STEP: usize = 1;
    const BLOCK: usize = 240;

    fn rows(scratch: &mut Scratch) -> (&mut Buffer<f32>, &mut Buffer<f32>) {
        (&mut scratch.rows, &mut scratch.sums)
    }

    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [f32]) {
        if let Some(place) = block.get_mut(k * COLUMNS + column) {
            *place = value;
        }
    }

    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [f32]) {
        let length = tile.len() / ROWS;
        if let Some(place) = tile.get_mut(at * length..(at + 1) * length) {
            place.copy_from_slice(row);
        }
    }

    unsafe fn run(a: &[f32], b: &[f32], sums: &mut [f32], first: bool) {
        let k = b.len() / COLUMNS;
        // SAFETY: the caller has AVX-512; `tile` checks the lengths.
        unsafe { tile(k, a, a.len() / ROWS, b, sums, first) }
    }
}

/// `sums` (12 x 32) becomes, or grows by, the product of 12 rows of `a`, `stride` apart, of which
/// `k` values count, and the `k` rows of 32 of `b`.
#[target_feature(enable = "avx512f")]
pub(crate) fn tile(k: usize, a: &[f32], stride: usize, b: &[f32], sums: &mut [f32], first: bool) {
    if k == 0 || a.len() < (ROWS - 1) * stride + k || b.len() < k * COLUMNS {
        return;
    }
    let Some(sums) = sums.first_chunk_mut::<{ ROWS * COLUMNS }>() else { return };
    let mut acc = begin(sums, first);
    // SAFETY: rows of `a` reach to 11 * stride + k, and `b` to 32 * k, as checked above.
    unsafe {
        let mut rows = [0, 3, 6, 9].map(|row| a.as_ptr().add(row * stride));
        let mut b = b.as_ptr();
        for _ in 0..k {
            let (b0, b1) = (_mm512_loadu_ps(b), _mm512_loadu_ps(b.add(16)));
            b = b.add(COLUMNS);
            for (row, acc) in rows.iter_mut().zip(acc.as_chunks_mut::<3>().0) {
                for (i, [low, high]) in acc.iter_mut().enumerate() {
                    let x = _mm512_set1_ps(*row.add(i * stride));
                    *low = _mm512_fmadd_ps(x, b0, *low);
                    *high = _mm512_fmadd_ps(x, b1, *high);
                }
                *row = row.add(1);
            }
        }
    }
    end(&acc, sums);
}

/// The sums of a tile in registers.
pub(super) type Sums = [[__m512; 2]; ROWS];

/// Zeros for the first block of inputs, and what is there for another.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn begin(sums: &[f32; ROWS * COLUMNS], first: bool) -> Sums {
    let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
    if !first {
        for (acc, sums) in acc.iter_mut().zip(sums.as_chunks::<COLUMNS>().0) {
            let (low, high) = sums.split_at(LANES);
            *acc = [load(low), load(high)];
        }
    }
    acc
}

/// Stores the sums of a tile.
#[inline]
#[target_feature(enable = "avx512f")]
pub(super) fn end(acc: &Sums, sums: &mut [f32; ROWS * COLUMNS]) {
    for ([low, high], sums) in acc.iter().zip(sums.as_chunks_mut::<COLUMNS>().0) {
        let (place, rest) = sums.split_at_mut(LANES);
        store(place, *low);
        store(rest, *high);
    }
}
