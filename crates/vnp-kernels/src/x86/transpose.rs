//! Transposition: 16 x 16 values in registers, and words of rows in memory.
#![allow(clippy::wildcard_imports, reason = "the intrinsics of this file")]
#![expect(
    clippy::indexing_slicing,
    reason = "indices of 16 vectors, and of words below the length"
)]

use std::arch::x86_64::*;

use super::lanes::{LANES, store};

/// Lane `i` of vector `j` becomes lane `j` of vector `i`: pairs, fours, eights and sixteens of
/// vectors are interleaved in turn.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn transpose(x: [__m512; LANES]) -> [__m512; LANES] {
    let [a, b, c, d] = [0, 4, 8, 12].map(|first| {
        // Four vectors at a time, in 128-bit lanes.
        let at = |i: usize| x[first + i];
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
        for (column, found) in columns.iter_mut().skip(i).step_by(4).zip(found) {
            *column = found;
        }
    }
    columns
}

/// Packs 16 words of each of `count` lines, from word `first` on: a word of every line, then the next.
#[inline]
#[target_feature(enable = "avx512f")]
pub(crate) fn pack_words(lines: &[__m512; LANES], count: usize, first: usize, words: &mut [u32]) {
    let length = words.len() / count.max(1);
    for (word, column) in (first..length).zip(transpose(*lines)) {
        // Lanes beyond these lines go where the next word will be written.
        store(&mut words[word * count..length * count], column);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::cpus;
    use crate::x86::lanes::{after, load};

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

    #[target_feature(enable = "avx512f")]
    fn interleaved(lines: &[u32], line: usize, count: usize) -> Vec<u32> {
        let mut words = vec![u32::MAX; count * (line + 1)];
        for first in (0..line + 1).step_by(LANES) {
            let mut block = [_mm512_setzero_ps(); LANES];
            for (vector, line) in block.iter_mut().zip(lines.chunks_exact(line)) {
                *vector = load(after(line, first));
            }
            pack_words(&block, count, first, &mut words);
        }
        words
    }

    #[test]
    #[allow(unsafe_code, reason = "called only where AVX-512 was found")]
    fn words_of_rows_stand_next_to_each_other() {
        if cpus().len() == 1 {
            return;
        }
        for (rows, line) in [(12, 1), (12, 16), (12, 50), (16, 33), (3, 20)] {
            let lines: Vec<u32> = (1..=rows * line).map(|i| i as u32).collect();
            // One word more than a line has, and the last line lacks.
            let there = &lines[..(rows - 1) * line];
            // SAFETY: every CPU but the portable one has AVX-512.
            let words = unsafe { interleaved(there, line, rows) };
            for (i, found) in words.iter().enumerate() {
                let (row, word) = (i % rows, i / rows);
                let is_there = row + 1 < rows && word < line;
                let expected = if is_there { lines[row * line + word] } else { 0 };
                assert_eq!(*found, expected, "{rows} x {line}: word {word} of row {row}");
            }
        }
    }
}
