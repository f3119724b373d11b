//! Attention of one sequence in AVX-512: tiles of 12 queries against panels of 32 keys, and their
//! weights against panels of 32 values.
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]
#![expect(
    clippy::indexing_slicing,
    reason = "`Attention::attend` checks the lengths of operands; buffers are resized for them"
)]

use std::arch::x86_64::*;

use super::lanes::{LANES, exp_of_negative, load, mask, store};
use super::prefetch::prefetch;
use super::strided;
use super::tile::{COLUMNS, ROWS};
use super::transpose::transpose;
use crate::attention::heads::{Attention, AttentionScratch, Position};

const TILE: usize = ROWS * COLUMNS;

/// As [`Attention::attend`], which has checked the operands. There is at least one token.
#[target_feature(enable = "avx512f,avx512dq")]
pub(crate) fn attend(
    attention: &Attention,
    qkv: &[f32],
    output: &mut [f32],
    scratch: &mut AttentionScratch,
    is_interrupted: &dyn Fn() -> bool,
) {
    let size = attention.size;
    let hidden = attention.heads * size;
    let length = qkv.len() / (3 * hidden);
    let panels = length.div_ceil(COLUMNS);
    let stride = panels * COLUMNS;
    let value_panels = size.div_ceil(COLUMNS);
    let keys = scratch.keys.resize(panels * size * COLUMNS);
    let values = scratch.values.resize(value_panels * length * COLUMNS);
    let queries = scratch.queries.resize(ROWS * size);
    // Beyond the last key these are values of an earlier panel or sequence: their scores are masked.
    let rotated = scratch.rotated.resize(LANES * size);
    let scores = scratch.scores.resize(panels * TILE);
    let weights = scratch.weights.resize(ROWS * stride);
    for head in 0..attention.heads {
        let of = |part: usize| part * hidden + head * size;
        let slope = match &attention.position {
            Position::Alibi(slopes) => slopes[head],
            Position::Rotary(_) => 0.0,
        };
        let panels = keys.chunks_exact_mut(size * COLUMNS);
        for (panel, (packed, qkv)) in panels.zip(qkv.chunks(COLUMNS * 3 * hidden)).enumerate() {
            for (half, qkv) in qkv.chunks(LANES * 3 * hidden).enumerate() {
                let first = panel * COLUMNS + half * LANES;
                let rows = qkv.chunks_exact(3 * hidden).zip(rotated.chunks_exact_mut(size));
                for (at, (row, rotated)) in rows.enumerate() {
                    prefetch_next(row, of(1), size);
                    rotate(attention, &row[of(1)..], first + at, 1.0, rotated);
                }
                pack_keys(rotated, size, &mut packed[half * LANES..]);
            }
        }
        for (at, row) in qkv.chunks_exact(3 * hidden).enumerate() {
            prefetch_next(row, of(2), size);
            let value = row[of(2)..of(2) + size].chunks(COLUMNS);
            let rows = values.chunks_exact_mut(length * COLUMNS).zip(value);
            for (panel, value) in rows {
                let packed = panel[at * COLUMNS..][..value.len()].chunks_mut(LANES);
                packed.zip(value.chunks(LANES)).for_each(|(packed, x)| store(packed, load(x)));
            }
        }
        let blocks = qkv.chunks(ROWS * 3 * hidden).zip(output.chunks_mut(ROWS * hidden));
        for (block, (qkv, output)) in blocks.enumerate() {
            if is_interrupted() {
                return;
            }
            let rows = qkv.chunks_exact(3 * hidden);
            queries.fill(0.0);
            for (at, (row, query)) in rows.zip(queries.chunks_exact_mut(size)).enumerate() {
                prefetch_next(row, of(0), size);
                let at = block * ROWS + at;
                rotate(attention, &row[of(0)..], at, attention.scale(), query);
            }
            let tiles = scores.as_chunks_mut::<TILE>().0;
            for (keys, scores) in keys.chunks_exact(size * COLUMNS).zip(tiles) {
                strided::tile(size, queries, size, keys, scores);
            }
            let mut sums = [1.0; ROWS];
            let rows = weights.chunks_exact_mut(stride).zip(&mut sums).take(output.len() / hidden);
            for (row, (weights, sum)) in rows.enumerate() {
                *sum = softmax(scores, row, length, block * ROWS + row, slope, weights);
            }
            let tile = &mut scores.as_chunks_mut::<TILE>().0[0];
            for (panel, values) in values.chunks_exact(length * COLUMNS).enumerate() {
                strided::tile(length, weights, stride, values, tile);
                let columns = COLUMNS.min(size - panel * COLUMNS);
                let first = head * size + panel * COLUMNS;
                let rows = tile.as_chunks::<COLUMNS>().0.iter().zip(&sums);
                for ((tile, sum), output) in rows.zip(output.chunks_exact_mut(hidden)) {
                    let scale = _mm512_set1_ps(1.0 / *sum);
                    let output = output[first..first + columns].chunks_mut(LANES);
                    for (x, output) in tile.chunks(LANES).zip(output) {
                        store(output, _mm512_mul_ps(load(x), scale));
                    }
                }
            }
        }
    }
}

/// Prefetches what the next head will read of a row: rows are too far apart for the CPU to foresee it.
#[inline]
fn prefetch_next(row: &[f32], first: usize, size: usize) {
    if let Some(next) = row.get(first + size..first + 2 * size) {
        prefetch(next);
    }
}

/// Writes 16 keys, `[16, size]`, as columns of a panel.
#[inline]
#[target_feature(enable = "avx512f")]
fn pack_keys(keys: &[f32], size: usize, panel: &mut [f32]) {
    for (block, panel) in panel.chunks_mut(LANES * COLUMNS).enumerate() {
        let mut rows = [_mm512_setzero_ps(); LANES];
        for (row, key) in rows.iter_mut().zip(keys.chunks_exact(size)) {
            *row = load(&key[block * LANES..]);
        }
        for (packed, column) in panel.chunks_mut(COLUMNS).zip(transpose(rows)) {
            store(&mut packed[..LANES], column);
        }
    }
}

/// Writes a query or key, scaled, then rotated, to `output`.
#[inline]
#[target_feature(enable = "avx512f")]
fn rotate(attention: &Attention, input: &[f32], position: usize, scale: f32, output: &mut [f32]) {
    let scale = _mm512_set1_ps(scale);
    let Position::Rotary(rotary) = &attention.position else {
        for (x, output) in input[..output.len()].chunks(LANES).zip(output.chunks_mut(LANES)) {
            store(output, _mm512_mul_ps(load(x), scale));
        }
        return;
    };
    let (cosines, sines) = rotary.angles(position);
    let half = cosines.len();
    let (low, high) = input[..2 * half].split_at(half);
    let (low_output, high_output) = output.split_at_mut(half);
    let inputs = low.chunks(LANES).zip(high.chunks(LANES));
    let outputs = low_output.chunks_mut(LANES).zip(high_output.chunks_mut(LANES));
    let angles = cosines.chunks(LANES).zip(sines.chunks(LANES));
    for (((low, high), (low_output, high_output)), (cos, sin)) in inputs.zip(outputs).zip(angles) {
        let (low, high) = (_mm512_mul_ps(load(low), scale), _mm512_mul_ps(load(high), scale));
        let (cos, sin) = (load(cos), load(sin));
        store(low_output, _mm512_fmsub_ps(low, cos, _mm512_mul_ps(high, sin)));
        store(high_output, _mm512_fmadd_ps(high, cos, _mm512_mul_ps(low, sin)));
    }
}

/// Writes the exponentials of a row of scores, minus the largest, to `weights`; returns their sum.
/// Scores are tiles of 12 rows and 32 keys.
#[inline]
#[target_feature(enable = "avx512f,avx512dq")]
fn softmax(
    scores: &[f32],
    row: usize,
    length: usize,
    query: usize,
    slope: f32,
    weights: &mut [f32],
) -> f32 {
    let (weights, _) = weights.as_chunks_mut::<COLUMNS>();
    let lanes =
        _mm512_cvtepi32_ps(_mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0));
    let lowest = _mm512_set1_ps(f32::NEG_INFINITY);
    let mut largest = lowest;
    let tiles = scores.as_chunks::<TILE>().0.iter().zip(&mut *weights);
    for (panel, (tile, weights)) in tiles.enumerate() {
        let halves = tile.as_chunks::<COLUMNS>().0[row].as_chunks::<LANES>().0.iter();
        for (half, (x, weights)) in halves.zip(weights.as_chunks_mut::<LANES>().0).enumerate() {
            let first = panel * COLUMNS + half * LANES;
            let mut x = load(x);
            if slope != 0.0 {
                // Distances are exact in f32 up to 2^24 tokens.
                let keys = _mm512_add_ps(lanes, _mm512_set1_ps(first as f32 - query as f32));
                x = _mm512_fnmadd_ps(_mm512_set1_ps(slope), _mm512_abs_ps(keys), x);
            }
            if first + LANES > length {
                x = _mm512_mask_mov_ps(lowest, mask(length.saturating_sub(first)), x);
            }
            largest = _mm512_max_ps(largest, x);
            store(weights, x);
        }
    }
    let largest = _mm512_set1_ps(_mm512_reduce_max_ps(largest));
    let mut sum = _mm512_setzero_ps();
    for weights in weights.as_flattened_mut().as_chunks_mut::<LANES>().0 {
        let x = exp_of_negative(_mm512_sub_ps(load(weights), largest));
        sum = _mm512_add_ps(sum, x);
        store(weights, x);
    }
    _mm512_reduce_add_ps(sum)
}
