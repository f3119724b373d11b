//! bf16 on AMX tiles: 32 rows and 32 columns, four registers of sums in f32.
#![allow(unsafe_code, reason = "tile instructions are assembly; bounds are checked above it")]
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]
#![expect(clippy::indexing_slicing, reason = "rows and columns are below those of a tile")]

use std::arch::asm;
use std::arch::x86_64::*;

use super::kernel::{Buffers, Kernel, pack_groups};
use super::tiles::{SIDE, Sums, TILE};
use crate::scratch::Scratch;
use crate::x86::bf16::to_bf16;
use crate::x86::lanes::{LANES, load};

/// bf16: a step is two registers of rows and two of columns.
pub(crate) struct AmxBf16;

/// Elements of a register.
const ELEMENTS: usize = TILE / size_of::<u16>();

impl Kernel for AmxBf16 {
    type Element = u16;
    /// Rows by halves, then columns by halves.
    type Sum = f32;
    const ROWS: usize = 32;
    const STEP: usize = 32;
    const TERMS: usize = 1;
    const WEIGHT_TERMS: usize = 1;
    const ROWS_AT_A_TIME: usize = 320;
    const PARTS: usize = 1;
    const SCALED: bool = false;

    fn buffers(scratch: &mut Scratch) -> Buffers<'_, Self::Element> {
        let Scratch { terms: rows, scales, sums: waiting, .. } = scratch;
        Buffers { rows, scales, waiting }
    }

    /// Steps of 32 inputs, each two registers of 16 columns, in which two inputs of a column are next
    /// to each other.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
    unsafe fn pack_column(weights: &[f32], column: usize, panel: &mut [u16]) -> f32 {
        let steps = panel.chunks_exact_mut(2 * ELEMENTS).zip(weights.chunks(2 * LANES));
        for (step, weights) in steps {
            let mut values = [0; 2 * LANES];
            let halves = values.as_chunks_mut::<LANES>().0.iter_mut();
            for (half, weights) in halves.zip(weights.chunks(LANES)) {
                store_bf16(weights, half);
            }
            let register = &mut step[column / SIDE * ELEMENTS..][..ELEMENTS];
            pack_groups::<_, 2>(&values, column % SIDE, register);
        }
        1.0
    }

    /// Steps of 32 inputs, each two registers of 16 rows.
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
    unsafe fn pack_row(inputs: &[f32], row: usize, tile: &mut [u16]) -> f32 {
        let steps = tile.chunks_exact_mut(2 * ELEMENTS).zip(inputs.chunks(2 * LANES));
        for (step, inputs) in steps {
            let packed = &mut step[row * 2 * SIDE..][..2 * SIDE];
            for (half, inputs) in packed.as_chunks_mut().0.iter_mut().zip(inputs.chunks(LANES)) {
                store_bf16(inputs, half);
            }
        }
        1.0
    }

    #[inline(always)]
    unsafe fn step(a: &[Self::Element], b: &[Self::Element]) {
        // SAFETY: as promised by the caller: a step is two registers of each.
        unsafe {
            asm!(
                "tileloadd tmm4, [{a} + {row}*1]",
                "tileloadd tmm6, [{b} + {row}*1]",
                "tdpbf16ps tmm0, tmm4, tmm6",
                "tileloadd tmm7, [{b} + {row}*1 + 1024]",
                "tdpbf16ps tmm1, tmm4, tmm7",
                "tileloadd tmm5, [{a} + {row}*1 + 1024]",
                "tdpbf16ps tmm2, tmm5, tmm6",
                "tdpbf16ps tmm3, tmm5, tmm7",
                a = in(reg) a.as_ptr(),
                b = in(reg) b.as_ptr(),
                row = in(reg) 64_usize,
                options(nostack, readonly),
            );
        }
    }

    #[inline(always)]
    unsafe fn row(sums: &Sums<Self::Sum>, row: usize, half: usize) -> __m512 {
        let at = (row / SIDE * 2 + half) * SIDE * SIDE + row % SIDE * SIDE;
        // SAFETY: the caller has AVX-512.
        unsafe { load(&sums.0[at..at + SIDE]) }
    }
}

#[inline]
#[target_feature(enable = "avx512f,avx512bf16")]
fn store_bf16(values: &[f32], packed: &mut [u16; LANES]) {
    // SAFETY: `packed` has room for 16 values.
    unsafe { _mm256_storeu_si256(packed.as_mut_ptr().cast(), to_bf16(load(values))) }
}
