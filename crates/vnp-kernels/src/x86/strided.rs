//! The product of a tile with strided rows, for attention, whose operands are used only once.
#![allow(
    unsafe_code,
    reason = "the inner loop reads through pointers; bounds are checked above it"
)]
#![expect(clippy::indexing_slicing, reason = "the bounds that make the loop safe")]
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]

use std::arch::x86_64::*;

use super::tile::{COLUMNS, ROWS, end};

/// Sets `sums` (12 x 32) to the product of `k` values of 12 rows of `a`, `stride` apart, and the `k`
/// rows of 32 of `b`.
#[target_feature(enable = "avx512f")]
pub(crate) fn tile(
    k: usize,
    a: &[f32],
    stride: usize,
    b: &[f32],
    sums: &mut [f32; ROWS * COLUMNS],
) {
    if k == 0 {
        sums.fill(0.0);
        return;
    }
    let (a, b) = (&a[..(ROWS - 1) * stride + k], &b[..k * COLUMNS]);
    let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
    // SAFETY: `a` holds 11 * stride + k values and `b` 32 * k, the most that are read.
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
