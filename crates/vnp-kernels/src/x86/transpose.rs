//! The transpose of 16 x 16 values in registers.
#![allow(clippy::wildcard_imports, reason = "the vocabulary of this file")]

use std::arch::x86_64::*;

use super::lanes::LANES;

/// Lane `i` of vector `j` becomes lane `j` of vector `i`: pairs, fours, eights and sixteens of
/// vectors are interleaved in turn.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn transpose(x: [__m512; LANES]) -> [__m512; LANES] {
    let [a, b, c, d] = [0, 4, 8, 12].map(|first| {
        // Four vectors at a time, in 128-bit lanes.
        let at = |i: usize| x.get(first + i).copied().unwrap_or(_mm512_setzero_ps());
        let (low, high) = (_mm512_unpacklo_ps(at(0), at(1)), _mm512_unpackhi_ps(at(0), at(1)));
        let (low2, high2) = (_mm512_unpacklo_ps(at(2), at(3)), _mm512_unpackhi_ps(at(2), at(3)));
        [
            _mm512_shuffle_ps::<0x44>(low, low2),
            _mm512_shuffle_ps::<0xee>(low, low2),
            _mm512_shuffle_ps::<0x44>(high, high2),
            _mm512_shuffle_ps::<0xee>(high, high2),
        ]
    });
    // Lanes of 128 bits: vector i of a holds columns i, 4 + i, 8 + i and 12 + i of rows 0 to 3.
    let mut columns = [_mm512_setzero_ps(); LANES];
    for (i, (((a, b), c), d)) in a.into_iter().zip(b).zip(c).zip(d).enumerate() {
        let even = _mm512_shuffle_f32x4::<0x88>(a, b);
        let odd = _mm512_shuffle_f32x4::<0xdd>(a, b);
        let even2 = _mm512_shuffle_f32x4::<0x88>(c, d);
        let odd2 = _mm512_shuffle_f32x4::<0xdd>(c, d);
        let found = [
            _mm512_shuffle_f32x4::<0x88>(even, even2),
            _mm512_shuffle_f32x4::<0x88>(odd, odd2),
            _mm512_shuffle_f32x4::<0xdd>(even, even2),
            _mm512_shuffle_f32x4::<0xdd>(odd, odd2),
        ];
        for (place, found) in columns.iter_mut().skip(i).step_by(4).zip(found) {
            *place = found;
        }
    }
    columns
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cpus;
    use crate::x86::lanes::{load, store};

    #[target_feature(enable = "avx512f")]
    fn transposed(values: &[f32]) -> Vec<f32> {
        let mut rows = [_mm512_setzero_ps(); LANES];
        for (row, values) in rows.iter_mut().zip(values.chunks(LANES)) {
            *row = load(values);
        }
        let mut found = vec![0.0; LANES * LANES];
        for (found, column) in found.chunks_mut(LANES).zip(transpose(rows)) {
            store(found, column);
        }
        found
    }

    #[test]
    #[allow(unsafe_code, reason = "called only where AVX-512 was found")]
    fn rows_become_columns() {
        if cpus().len() == 1 {
            return;
        }
        let values: Vec<f32> = (0..LANES * LANES).map(|i| i as f32).collect();
        // SAFETY: every CPU but the portable one has AVX-512.
        let found = unsafe { transposed(&values) };
        for (i, x) in found.iter().enumerate() {
            assert_eq!(*x, (i % LANES * LANES + i / LANES) as f32, "{i}");
        }
    }
}
