//! Sets of rows, and the windows into which they are cut.

use vnp_ckpt::RowRange;

/// A set of rows as sorted, disjoint, non-adjacent half-open ranges.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RowSet {
    ranges: Vec<RowRange>,
}

impl RowSet {
    /// Adds the rows of `range`.
    pub fn insert(&mut self, range: RowRange) {
        if range.start >= range.end {
            return;
        }
        let mut merged = range;
        // Touching ranges merge too, so that equal sets have equal representations.
        self.ranges.retain(|kept| {
            let apart = kept.end < merged.start || merged.end < kept.start;
            if !apart {
                merged.start = merged.start.min(kept.start);
                merged.end = merged.end.max(kept.end);
            }
            apart
        });
        let at = self.ranges.partition_point(|kept| kept.start < merged.start);
        self.ranges.insert(at, merged);
    }

    /// The ranges, ascending.
    #[must_use]
    pub fn ranges(&self) -> &[RowRange] {
        &self.ranges
    }

    /// How many rows the set holds.
    #[must_use]
    pub fn rows(&self) -> u64 {
        self.ranges.iter().map(|range| range.end - range.start).sum()
    }

    /// Whether every row of `range` is in the set.
    #[must_use]
    pub fn covers(&self, range: RowRange) -> bool {
        range.start >= range.end
            || self.ranges.iter().any(|kept| kept.start <= range.start && range.end <= kept.end)
    }

    /// The rows of `range` that are not in the set, ascending.
    #[must_use]
    pub fn missing_in(&self, range: RowRange) -> Vec<RowRange> {
        let mut missing = Vec::new();
        let mut from = range.start;
        for kept in &self.ranges {
            if kept.end <= from {
                continue;
            }
            if kept.start >= range.end {
                break;
            }
            if kept.start > from {
                missing.push(RowRange { start: from, end: kept.start });
            }
            from = kept.end;
        }
        if from < range.end {
            missing.push(RowRange { start: from, end: range.end });
        }
        missing
    }
}

/// Cuts ascending ranges into windows of at most `window_rows` rows at multiples of that number,
/// so that the same rows fall into the same window in every session.
#[must_use]
pub fn windows(ranges: &[RowRange], window_rows: u64) -> Vec<RowRange> {
    let step = window_rows.max(1);
    let mut windows = Vec::new();
    for range in ranges {
        let mut start = range.start;
        while start < range.end {
            let end = (start / step).saturating_add(1).saturating_mul(step).min(range.end);
            windows.push(RowRange { start, end });
            start = end;
        }
    }
    windows
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(ranges: &[(u64, u64)]) -> RowSet {
        let mut set = RowSet::default();
        for &(start, end) in ranges {
            set.insert(RowRange { start, end });
        }
        set
    }

    fn pairs(ranges: &[RowRange]) -> Vec<(u64, u64)> {
        ranges.iter().map(|range| (range.start, range.end)).collect()
    }

    #[track_caller]
    fn check_missing(covered: &[(u64, u64)], total: u64, expected: &[(u64, u64)]) {
        let missing = set(covered).missing_in(RowRange { start: 0, end: total });
        assert_eq!(pairs(&missing), expected);
    }

    #[test]
    fn missing_rows_are_the_gaps() {
        check_missing(&[], 10, &[(0, 10)]);
        check_missing(&[], 0, &[]);
        check_missing(&[(0, 10)], 10, &[]);
        check_missing(&[(0, 4)], 10, &[(4, 10)]);
        check_missing(&[(4, 10)], 10, &[(0, 4)]);
        check_missing(&[(2, 4), (6, 8)], 10, &[(0, 2), (4, 6), (8, 10)]);
        check_missing(&[(6, 8), (2, 4)], 10, &[(0, 2), (4, 6), (8, 10)]);
        check_missing(&[(0, 20)], 10, &[]);
        check_missing(&[(12, 20)], 10, &[(0, 10)]);
    }

    #[test]
    fn touching_and_overlapping_ranges_merge() {
        assert_eq!(pairs(set(&[(0, 4), (4, 8)]).ranges()), [(0, 8)]);
        assert_eq!(pairs(set(&[(4, 8), (0, 5), (7, 12)]).ranges()), [(0, 12)]);
        assert_eq!(pairs(set(&[(0, 2), (4, 6), (1, 5)]).ranges()), [(0, 6)]);
        assert_eq!(pairs(set(&[(5, 5)]).ranges()), []);
        assert_eq!(set(&[(0, 4), (6, 8)]).rows(), 6);
    }

    #[test]
    fn a_range_is_covered_only_without_a_gap() {
        assert!(set(&[(0, 4), (4, 8)]).covers(RowRange { start: 2, end: 6 }));
        assert!(!set(&[(0, 4), (5, 8)]).covers(RowRange { start: 2, end: 6 }));
        assert!(set(&[]).covers(RowRange { start: 3, end: 3 }));
    }

    #[test]
    fn windows_start_at_multiples_whatever_is_missing() {
        let cut = |ranges: &[(u64, u64)], rows| {
            let ranges: Vec<_> =
                ranges.iter().map(|&(start, end)| RowRange { start, end }).collect();
            pairs(&windows(&ranges, rows))
        };
        assert_eq!(cut(&[(0, 20)], 8), [(0, 8), (8, 16), (16, 20)]);
        assert_eq!(cut(&[(3, 9), (15, 17)], 8), [(3, 8), (8, 9), (15, 16), (16, 17)]);
        assert_eq!(cut(&[], 8), []);
        assert_eq!(cut(&[(0, 3)], u64::MAX), [(0, 3)]);
    }
}
