//! The order of values in tiles.
#![allow(unsafe_code, reason = "a vector store takes a pointer, bounded by its slice")]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use half::bf16;

use super::{STEP, TILE};
use crate::x86::bf16::to_bf16;
use crate::x86::lanes::{LANES, load};

/// Places the terms of a weight: steps of 32 inputs, then terms, then two tiles of 16 columns, in
/// which two inputs of a column stand next to each other.
pub(super) fn pack_weight<const TERMS: usize>(
    value: f32,
    k: usize,
    column: usize,
    block: &mut [u16],
) {
    let (step, k) = (k / STEP, k % STEP);
    let mut rest = value;
    for term in 0..TERMS {
        let rounded = bf16::from_f32(rest);
        rest -= rounded.to_f32();
        let tile = (step * TERMS + term) * 2 + column / 16;
        let place = tile * TILE + k / 2 * 32 + column % 16 * 2 + k % 2;
        if let Some(place) = block.get_mut(place) {
            *place = rounded.to_bits();
        }
    }
}

/// Places the terms of a row: steps of 32 inputs, then terms, then two tiles of 16 rows.
#[target_feature(enable = "avx512f,avx512bf16")]
pub(super) fn pack_row<const TERMS: usize>(row: &[f32], at: usize, tile: &mut [u16]) {
    let steps = tile.chunks_exact_mut(2 * TERMS * TILE).zip(row.chunks(STEP));
    for (tile, row) in steps {
        for (half, row) in row.chunks(LANES).enumerate() {
            let mut rest = load(row);
            for term in 0..TERMS {
                let rounded = to_bf16(rest);
                let wide = _mm512_slli_epi32::<16>(_mm512_cvtepu16_epi32(rounded));
                rest = _mm512_sub_ps(rest, _mm512_castsi512_ps(wide));
                let place = (term * 2 + at / 16) * TILE + at % 16 * 32 + half * LANES;
                if let Some(place) = tile.get_mut(place..place + LANES) {
                    // SAFETY: 16 values are there.
                    unsafe { _mm256_storeu_si256(place.as_mut_ptr().cast(), rounded) }
                }
            }
        }
    }
}
