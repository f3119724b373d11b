//! The epilogue of a product, tile by tile while the sums are in cache.
#![allow(unsafe_code, reason = "compiled for instructions that `Cpu` has found")]
#![expect(
    clippy::indexing_slicing,
    reason = "a panel's columns begin below the width and within the bias"
)]

use std::arch::x86_64::{__m512, _mm512_add_ps, _mm512_mul_ps};

use super::lanes::{LANES, gelu, load, store, stream};
use super::tile::COLUMNS;
use crate::epilogue::{Destination, Step};

/// Whether results are written past the caches. Of a large output the first part would be evicted
/// before the last is written, and every line would be read before it is overwritten.
pub(crate) fn streams(destination: &Destination<'_>) -> bool {
    const FROM_BYTES: usize = 4 << 20;
    destination.step != Step::Add && size_of_val(destination.output) >= FROM_BYTES
}

/// The results of 16 sums; `gates` are those of a gated unit, and `output` is where the results go.
///
/// Always inlined: it is less work than a call.
///
/// # Safety
/// The CPU has AVX-512 F.
#[inline(always)]
pub(crate) unsafe fn results(step: Step, sums: __m512, gates: __m512, output: &[f32]) -> __m512 {
    // SAFETY: as promised by the caller.
    unsafe {
        match step {
            Step::Store => sums,
            Step::Gelu => gelu(sums),
            Step::Add => _mm512_add_ps(load(output), sums),
            Step::Glu => _mm512_mul_ps(gelu(gates), sums),
        }
    }
}

/// Writes the results of the first `count` rows of `sums`, `[_, 32]`, to the output's rows from `row`
/// on.
#[target_feature(enable = "avx512f")]
pub(crate) fn finish(
    sums: &[f32],
    row: usize,
    count: usize,
    panel: usize,
    destination: &mut Destination<'_>,
) {
    let streams = streams(destination);
    let Destination { output, width, bias, step } = destination;
    let (width, step) = (*width, *step);
    let columns = if step == Step::Glu { LANES } else { COLUMNS };
    let columns = panel * columns..((panel + 1) * columns).min(width);
    let (low_bias, high_bias) = bias[panel * COLUMNS..].split_at(LANES);
    let (low_bias, high_bias) = (load(low_bias), load(high_bias));
    let write = |sums, gates, output: &mut [f32]| {
        // SAFETY: this function has AVX-512.
        let x = unsafe { results(step, sums, gates, output) };
        if streams { stream(output, x) } else { store(output, x) }
    };
    let rows = output.chunks_exact_mut(width).skip(row).take(count);
    for (sums, output) in sums.as_chunks::<COLUMNS>().0.iter().zip(rows) {
        let output = &mut output[columns.clone()];
        let (low, high) = sums.split_at(LANES);
        let low = _mm512_add_ps(load(low), low_bias);
        let high = _mm512_add_ps(load(high), high_bias);
        if step == Step::Glu {
            write(high, low, output);
        } else {
            let (low_output, high_output) = output.split_at_mut(LANES.min(output.len()));
            write(low, low, low_output);
            write(high, high, high_output);
        }
    }
}
