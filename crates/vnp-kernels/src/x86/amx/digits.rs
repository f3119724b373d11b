//! f32 on AMX tiles of integers.
//!
//! In a block of inputs, a row is fixed-point numbers: `scale * n`, where `n` has 31 bits and the
//! scale is a power of two that depends on the row's largest value; so is a column of weights, with
//! 24 bits and the scale that fits it best. In base 256, with digits from -128 to 127, `n` is four
//! digits of an input and three of a weight. Products of digits are added as 32-bit integers, which
//! is exact, one sum for all products of equal weight; the three of the lowest weights, below 2^-30
//! of the largest, are left out. The errors are thus the rounding of weights to 2^-24 of their
//! column's largest, and of inputs to 2^-30 of their row's; a product in f32 loses more by rounding
//! its sums (`docs/NUMERICS.md`). After Ozaki, Ogita, Oishi and Rump, "Error-free transformations of
//! matrix multiplication by using fast routines of matrix multiplication" (Numer. Algorithms 2012),
//! and Ootomo, Ozaki and Yokota, "DGEMM on integer matrix multiplication unit" (2024).
#![allow(unsafe_code, reason = "tile instructions are assembly; bounds are checked above it")]
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]
#![expect(clippy::indexing_slicing, reason = "rows and columns are below those of a tile")]

use std::arch::asm;
use std::arch::x86_64::*;

use super::kernel::{Buffers, Kernel, pack_groups};
use super::tiles::{SIDE, Sums, TILE};
use crate::scratch::Scratch;
use crate::x86::lanes::{LANES, larger, load};

/// f32: a step is four registers of the digits of rows, the highest first, and, for each half of the
/// columns, three of the digits of weights.
pub(crate) struct AmxF32;

/// Digits of an input and of a weight.
const DIGITS: usize = 4;
const WEIGHT_DIGITS: usize = 3;
/// Inputs of a step.
const STEP: usize = 64;
/// Sums of a row and a column: one per weight of a product, the highest first.
const LEVELS: usize = 4;
/// 0x7f7f7f, no digit of which exceeds 127.
const LARGEST_WEIGHT: f64 = 8_355_711.0;
/// Bits of an input without its sign.
const BITS: i32 = 30;
/// The smallest exponent of a row's largest value that its scale depends on: smaller ones would need a
/// scale beyond f32.
const LEAST_EXPONENT: i32 = -96;

impl Kernel for AmxF32 {
    type Element = i8;
    /// The sums of half of a panel's columns, by levels.
    type Sum = i32;
    const ROWS: usize = SIDE;
    const STEP: usize = STEP;
    const TERMS: usize = DIGITS;
    const WEIGHT_TERMS: usize = WEIGHT_DIGITS;
    const ROWS_AT_A_TIME: usize = 160;
    const PARTS: usize = 2;
    const SCALED: bool = true;

    fn buffers(scratch: &mut Scratch) -> Buffers<'_, Self::Element> {
        let Scratch { digits: rows, scales, sums: waiting, .. } = scratch;
        Buffers { rows, scales, waiting }
    }

    /// Packs a column's digits: halves of the columns, then steps of 64 inputs, then digits, each a
    /// register of 16 columns, in which four inputs of a column are next to each other. Returns the
    /// scale of its sums, NaN if a weight is not finite.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
    unsafe fn pack_column(weights: &[f32], column: usize, panel: &mut [i8]) -> f32 {
        let largest = largest(weights);
        if !largest.is_finite() {
            return f32::NAN;
        }
        if largest == 0.0 {
            return 0.0;
        }
        // Rounded up, so that no weight exceeds the largest integer.
        let scale = ((f64::from(largest) / LARGEST_WEIGHT) as f32).next_up();
        let to_integers = _mm512_set1_pd(1.0 / f64::from(scale));
        let half = panel.len() / 2;
        let half = &mut panel[column / SIDE * half..][..half];
        let steps = half.chunks_exact_mut(WEIGHT_DIGITS * TILE).zip(weights.chunks(STEP));
        for (step, weights) in steps {
            let mut all = [[0_i8; STEP]; WEIGHT_DIGITS];
            for (quarter, weights) in weights.chunks(LANES).enumerate() {
                let weights = load(weights);
                let low = _mm512_cvtps_pd(_mm512_castps512_ps256(weights));
                let high = _mm512_cvtps_pd(_mm512_extractf32x8_ps::<1>(weights));
                let [low, high] =
                    [low, high].map(|half| _mm512_cvtpd_epi32(_mm512_mul_pd(half, to_integers)));
                let integers = _mm512_inserti32x8::<1>(_mm512_castsi256_si512(low), high);
                let mut digits = balanced::<0x0000_8080>(integers);
                for digit in all.iter_mut().rev() {
                    digits = store_lowest(digits, &mut digit.as_chunks_mut().0[quarter]);
                }
            }
            for (register, digit) in step.chunks_exact_mut(TILE).zip(&all) {
                pack_groups::<_, 4>(digit, column % SIDE, register);
            }
        }
        scale
    }

    /// Packs a row's digits: steps of 64 inputs, then digits, each a register of 16 rows. Returns the
    /// scale of its sums, NaN if an input is not finite.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
    unsafe fn pack_row(inputs: &[f32], row: usize, tile: &mut [i8]) -> f32 {
        let largest = largest(inputs);
        if !largest.is_finite() {
            // The earlier content of the tile does not matter: all sums become NaN.
            return f32::NAN;
        }
        let exponent = ((largest.to_bits() >> 23) as i32 - 127).max(LEAST_EXPONENT);
        let to_integers = _mm512_set1_ps(power_of_two(BITS - 1 - exponent));
        let steps = tile.chunks_exact_mut(DIGITS * TILE).zip(inputs.chunks(STEP));
        for (step, inputs) in steps {
            for (quarter, inputs) in inputs.chunks(LANES).enumerate() {
                let mut digits = balanced::<0x0080_8080>(_mm512_cvtps_epi32(_mm512_mul_ps(
                    load(inputs),
                    to_integers,
                )));
                // From the lowest digit to the highest.
                for register in step.chunks_exact_mut(TILE).rev() {
                    let row = &mut register.as_chunks_mut::<STEP>().0[row];
                    digits = store_lowest(digits, &mut row.as_chunks_mut().0[quarter]);
                }
            }
        }
        // 2^16 is the weight of the lowest level.
        power_of_two(exponent + 1 - BITS + 16)
    }

    #[inline(always)]
    unsafe fn step(a: &[Self::Element], b: &[Self::Element]) {
        // SAFETY: as promised by the caller: a step is four registers of rows and three of weights.
        unsafe {
            asm!(
                "tileloadd tmm5, [{b} + {row}*1]",
                "tileloadd tmm4, [{a} + {row}*1]",
                "tdpbssd tmm0, tmm4, tmm5",
                "tileloadd tmm6, [{b} + {row}*1 + 1024]",
                "tdpbssd tmm1, tmm4, tmm6",
                "tileloadd tmm7, [{b} + {row}*1 + 2048]",
                "tdpbssd tmm2, tmm4, tmm7",
                "tileloadd tmm4, [{a} + {row}*1 + 1024]",
                "tdpbssd tmm1, tmm4, tmm5",
                "tdpbssd tmm2, tmm4, tmm6",
                "tdpbssd tmm3, tmm4, tmm7",
                "tileloadd tmm4, [{a} + {row}*1 + 2048]",
                "tdpbssd tmm2, tmm4, tmm5",
                "tdpbssd tmm3, tmm4, tmm6",
                "tileloadd tmm4, [{a} + {row}*1 + 3072]",
                "tdpbssd tmm3, tmm4, tmm5",
                a = in(reg) a.as_ptr(),
                b = in(reg) b.as_ptr(),
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
        }
    }

    /// Each level is worth 256 times the next.
    #[inline(always)]
    unsafe fn row(sums: &Sums<Self::Sum>, row: usize, _: usize) -> __m512 {
        // SAFETY: the caller has AVX-512; 16 values of 32 bits are read.
        unsafe {
            let mut sum = _mm512_setzero_ps();
            for level in 0..LEVELS {
                let at = (level * SIDE + row) * SIDE;
                let values = &sums.0[at..at + SIDE];
                let values = _mm512_cvtepi32_ps(_mm512_loadu_si512(values.as_ptr().cast()));
                sum = _mm512_fmadd_ps(sum, _mm512_set1_ps(256.0), values);
            }
            sum
        }
    }
}

/// The largest magnitude of some values; NaN or infinity if there is one.
#[target_feature(enable = "avx512f")]
fn largest(values: &[f32]) -> f32 {
    let mut largest = _mm512_setzero_si512();
    for values in values.chunks(LANES) {
        largest = larger(largest, load(values));
    }
    f32::from_bits(_mm512_reduce_max_epu32(largest))
}

/// Bytes as digits from -128 to 127: where `CARRIES` has 128, a byte above 127 becomes negative and
/// carries one into the next byte.
#[inline]
#[target_feature(enable = "avx512f")]
fn balanced<const CARRIES: i32>(integers: __m512i) -> __m512i {
    let carries = _mm512_set1_epi32(CARRIES);
    _mm512_xor_si512(_mm512_add_epi32(integers, carries), carries)
}

/// Stores the lowest byte of each integer; returns the integers without it.
#[inline]
#[target_feature(enable = "avx512f")]
fn store_lowest(digits: __m512i, bytes: &mut [i8; LANES]) -> __m512i {
    // SAFETY: `bytes` has room for 16 bytes.
    unsafe { _mm_storeu_si128(bytes.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(digits)) }
    _mm512_srli_epi32::<8>(digits)
}

/// `2^exponent`, for exponents of normal numbers.
fn power_of_two(exponent: i32) -> f32 {
    f32::from_bits(((exponent + 127) as u32) << 23)
}
