//! Cutting a record into overlapping chunks.

use std::iter::FusedIterator;
use std::ops::Range;

use crate::error::Error;

/// The length of a chunk in bp, at least one codon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkLength(u32);

impl ChunkLength {
    /// A chunk length of `length_bp`.
    ///
    /// # Errors
    /// [`Error::ChunkLength`] below 3 bp.
    ///
    /// ```
    /// assert_eq!(vnp_seq::ChunkLength::new(500)?.get(), 500);
    /// assert!(vnp_seq::ChunkLength::new(2).is_err());
    /// # Ok::<(), vnp_seq::Error>(())
    /// ```
    pub fn new(length_bp: u32) -> Result<Self, Error> {
        if length_bp < 3 {
            return Err(Error::ChunkLength { found: length_bp });
        }
        Ok(Self(length_bp))
    }

    /// The length in bp.
    #[must_use]
    pub fn get(self) -> usize {
        self.0 as usize
    }
}

/// The position of a chunk in its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ChunkPosition {
    /// 0-based number of the chunk in its record.
    pub index: u32,
    /// First base, 0-based.
    pub start_bp: u64,
    /// One past the last base.
    pub end_bp: u64,
}

/// The chunks of a record of `length_bp` bases, as half-open ranges in order.
///
/// `n` whole chunks are longer than the record; the excess is spread over the overlaps, one base more
/// for the first ones. The original divides the excess by `n` instead of by the `n - 1` overlaps, so
/// that the last chunk can be short; no base is ever lost. An empty record has no chunks.
///
/// ```
/// use vnp_seq::{ChunkLength, chunk_ranges};
/// let ranges: Vec<_> = chunk_ranges(550, ChunkLength::new(500)?).collect();
/// assert_eq!(ranges, [0..500, 274..550]);
/// # Ok::<(), vnp_seq::Error>(())
/// ```
#[must_use]
pub fn chunk_ranges(length_bp: usize, chunk_length: ChunkLength) -> ChunkRanges {
    let chunk_bp = chunk_length.get();
    let count = length_bp.div_ceil(chunk_bp);
    let excess = count.saturating_mul(chunk_bp).saturating_sub(length_bp);
    let overlap = excess.checked_div(count).unwrap_or(0);
    // How many overlaps are one base longer. If that exceeds the number of overlaps, the last chunk is short.
    let longer = excess - overlap * count.saturating_sub(1);
    ChunkRanges { length_bp, chunk_bp, overlap, longer, next: 0, count }
}

/// Iterator over the chunks of a record, from [`chunk_ranges`].
#[derive(Debug, Clone)]
pub struct ChunkRanges {
    length_bp: usize,
    chunk_bp: usize,
    overlap: usize,
    longer: usize,
    next: usize,
    count: usize,
}

impl Iterator for ChunkRanges {
    type Item = Range<usize>;

    fn next(&mut self) -> Option<Range<usize>> {
        if self.next == self.count {
            return None;
        }
        let i = self.next;
        self.next += 1;
        let start = i * (self.chunk_bp - self.overlap) - i.min(self.longer);
        Some(start..(start + self.chunk_bp).min(self.length_bp))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        let left = self.count - self.next;
        (left, Some(left))
    }
}

impl ExactSizeIterator for ChunkRanges {}
impl FusedIterator for ChunkRanges {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ranges(length_bp: usize, chunk_bp: u32) -> Vec<Range<usize>> {
        chunk_ranges(length_bp, ChunkLength::new(chunk_bp).unwrap()).collect()
    }

    fn check(length_bp: usize, expected: &[(usize, usize)]) {
        let found: Vec<_> = ranges(length_bp, 500).iter().map(|r| (r.start, r.end)).collect();
        assert_eq!(found, expected, "length {length_bp}");
    }

    /// The original's loop, as written there.
    fn naive(length: usize, chunk: usize) -> Vec<Range<usize>> {
        let n = length.div_ceil(chunk);
        let r = n * chunk - length;
        let q = r / n;
        let need = r - q * (n - 1);
        let mut overlaps = vec![q + 1; need];
        overlaps.extend(vec![q; (n - 1).saturating_sub(need)]);
        overlaps.push(0);
        overlaps.truncate(n);
        (0..n)
            .map(|i| {
                let start = i * chunk - overlaps[..i].iter().sum::<usize>();
                start..(start + chunk).min(length)
            })
            .collect()
    }

    #[test]
    fn records_are_cut_as_in_the_table() {
        check(0, &[]);
        check(1, &[(0, 1)]);
        check(499, &[(0, 499)]);
        check(500, &[(0, 500)]);
        check(501, &[(0, 500), (250, 501)]);
        check(550, &[(0, 500), (274, 550)]);
        check(999, &[(0, 500), (499, 999)]);
        check(1000, &[(0, 500), (500, 1000)]);
        check(1001, &[(0, 500), (333, 833), (666, 1001)]);
        assert_eq!(ranges(29_903, 500).len(), 60);
        assert!(ranges(29_903, 500).iter().all(|range| range.len() == 500));
        assert_eq!(ranges(4, 3), [0..3, 1..4]);
    }

    #[test]
    fn a_chunk_shorter_than_a_codon_is_refused() {
        for length in 0..3 {
            let Err(Error::ChunkLength { found }) = ChunkLength::new(length) else {
                panic!("{length} was accepted")
            };
            assert_eq!(found, length);
        }
        assert_eq!(ChunkLength::new(3).unwrap().get(), 3);
    }

    proptest! {
        #[test]
        fn chunks_cover_every_base_and_follow_the_original(
            length in 1usize..5000, chunk in 3u32..700
        ) {
            let chunks = ranges(length, chunk);
            prop_assert_eq!(&chunks, &naive(length, chunk as usize));
            prop_assert_eq!(chunks.first().map(|range| range.start), Some(0));
            prop_assert_eq!(chunks.last().map(|range| range.end), Some(length));
            for pair in chunks.windows(2) {
                prop_assert!(pair[0].start < pair[1].start && pair[1].start <= pair[0].end);
                prop_assert_eq!(pair[0].len(), chunk as usize);
            }
        }
    }
}
