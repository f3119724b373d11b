//! The product of a tile whose rows lie apart, as those of attention do, which are used only once.
#![allow(
    unsafe_code,
    reason = "the inner loop reads through pointers; bounds are checked above it"
)]
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use super::multiply::COLUMNS;
use super::tile::{ROWS, end};

/// `sums` (12 x 32) becomes the product of 12 rows of `a`, `stride` apart, of which
/// `k` values count, and the `k` rows of 32 of `b`.
#[target_feature(enable = "avx512f")]
pub(crate) fn tile(k: usize, a: &[f32], stride: usize, b: &[f32], sums: &mut [f32]) {
    if k == 0 || a.len() < (ROWS - 1) * stride + k || b.len() < k * COLUMNS {
        return;
    }
    let Some(sums) = sums.first_chunk_mut::<{ ROWS * COLUMNS }>() else { return };
    let mut acc = [[_mm512_setzero_ps(); 2]; ROWS];
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
