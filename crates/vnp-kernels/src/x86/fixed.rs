//! Products of 16-bit integers by `VPDPWSSD`, exact in sums of 32 bits.
//!
//! In each block of inputs, a row and a column are fixed-point numbers: `scale * n`, where `n` has 16
//! bits and the scale is chosen for the values. By the Cauchy-Schwarz inequality no sum of products
//! exceeds 32 bits if both norms, as integers, are at most the root of 2^31. A row of 320 normal values
//! then has a root mean square of 2,570, so that the relative error of rounding a value is 1.1e-4; in
//! bf16 it is 1.7e-3. The largest value may be twelve times as large before the others lose bits.
//!
//! This is `--precision bf16` for CPUs without AMX that have no `VDPBF16PS`, or a slow one: on Intel's
//! cores of 2023 it takes four times as long as `VPDPWSSD`, and twice as long as the same products
//! in f32.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]

use std::arch::x86_64::*;

use super::lanes::{LANES, after, larger, load, store};
use super::micro::{Micro, Scaling};
use super::tile::{self, COLUMNS, ROWS};

/// Fixed-point numbers: the first word of a block of inputs is the scale, as f32, and each other word
/// is two values.
pub(crate) struct Fixed;

/// The largest integer, with a margin for rounding.
const LARGEST: f32 = 32_760.0;
/// The largest norm: the root of 2^31, with a margin for rounding.
const LARGEST_NORM: f32 = 46_000.0;
/// Norms whose squares are far from both limits of f32.
const SAFE_NORMS: std::ops::Range<f32> = 1e-12..1e12;

impl Micro for Fixed {
    const BLOCK: usize = 320;
    const OF_A_WORD: usize = 2;
    const SCALED: bool = true;

    /// The scale is NaN if a value is not finite, and zero, like all integers, if all values are below
    /// the normal numbers.
    #[inline]
    #[target_feature(enable = "avx512f")]
    unsafe fn scaling(values: &[f32]) -> Scaling {
        let (largest, mut norm) = measure(values, 1.0);
        if !largest.is_finite() {
            return Scaling { scale: f32::NAN, factors: [0.0; 2] };
        }
        if largest < f32::MIN_POSITIVE {
            return Scaling::default();
        }
        let mut unit = 1.0;
        if !SAFE_NORMS.contains(&norm) {
            unit = 1.0 / largest;
            norm = measure(values, unit).1;
        }
        let to_integers = (LARGEST / (largest * unit)).min(LARGEST_NORM / norm);
        Scaling { scale: 1.0 / to_integers / unit, factors: [unit, to_integers] }
    }

    /// The words are not in the order of the values, but the order is the same for rows and columns,
    /// and sums of integers do not depend on it.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw")]
    unsafe fn vector(values: &[f32], scaling: &Scaling) -> __m512 {
        let [unit, to_integers] = scaling.factors.map(|x| _mm512_set1_ps(x));
        let halves = [values, after(values, LANES)].map(|half| {
            _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_mul_ps(load(half), unit), to_integers))
        });
        _mm512_castsi512_ps(_mm512_packs_epi32(halves[0], halves[1]))
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    unsafe fn run(
        a: &[u32],
        b: &[u32],
        sums: &mut [f32; ROWS * COLUMNS],
        first: bool,
        between: &mut impl FnMut(),
    ) {
        let (of_rows, a) = a.split_at(ROWS);
        let (of_columns, b) = b.split_at(COLUMNS);
        let mut acc = [[_mm512_setzero_si512(); 2]; ROWS];
        tile::multiply_integers(a, b, &mut acc, between);
        let (low, high) = of_columns.split_at(LANES);
        let of_columns = [load(low), load(high)];
        let rows = acc.iter().zip(of_rows).zip(sums.as_chunks_mut::<COLUMNS>().0);
        for ((acc, of_row), sums) in rows {
            let of_row = _mm512_set1_ps(f32::from_bits(*of_row));
            let halves = acc.iter().zip(of_columns).zip(sums.as_chunks_mut::<LANES>().0);
            for ((acc, of_columns), sums) in halves {
                // The product of both scales may be below the numbers of f32.
                let x = _mm512_mul_ps(_mm512_mul_ps(_mm512_cvtepi32_ps(*acc), of_row), of_columns);
                let x = if first { x } else { _mm512_add_ps(load(sums), x) };
                store(sums, x);
            }
        }
    }
}

/// The largest magnitude of some values, NaN or infinity if there is one, and the norm of the values
/// times `factor`.
#[target_feature(enable = "avx512f")]
fn measure(values: &[f32], factor: f32) -> (f32, f32) {
    let factor = _mm512_set1_ps(factor);
    let (mut largest, mut squares) = (_mm512_setzero_si512(), _mm512_setzero_ps());
    for values in values.chunks(LANES) {
        let x = load(values);
        largest = larger(largest, x);
        let x = _mm512_mul_ps(x, factor);
        squares = _mm512_fmadd_ps(x, x, squares);
    }
    (f32::from_bits(_mm512_reduce_max_epu32(largest)), _mm512_reduce_add_ps(squares).sqrt())
}
