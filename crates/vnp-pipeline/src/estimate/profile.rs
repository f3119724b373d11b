//! Lengths of rows in bins.

use vnp_ckpt::RowRange;

use vnp_job::parts::RowSet;

/// Bins that are kept at most: an even number.
const BINS: usize = 4096;

/// The letters of all rows, summed in bins of equal numbers of rows, so that those of some rows can
/// be told without holding the length of each.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    /// Rows in a bin: a power of two.
    step: u64,
    rows: u64,
    bins: Vec<u64>,
}

impl Default for Profile {
    fn default() -> Self {
        Self { step: 1, rows: 0, bins: Vec::new() }
    }
}

impl Profile {
    /// Adds a row of so many letters.
    pub(super) fn add(&mut self, letters: u64) {
        if self.rows.is_multiple_of(self.step) {
            if self.bins.len() == BINS {
                self.halve();
            }
            self.bins.push(0);
        }
        self.rows += 1;
        if let Some(bin) = self.bins.last_mut() {
            *bin += letters;
        }
    }

    pub(super) fn rows(&self) -> u64 {
        self.rows
    }

    /// The letters of some rows; of a bin that is partly among them, a part.
    pub(super) fn letters(&self, rows: &RowSet) -> u64 {
        let mut letters = 0.0;
        for (number, bin) in self.bins.iter().enumerate() {
            let start = number as u64 * self.step;
            let bin_rows = RowRange { start, end: self.rows.min(start + self.step) };
            let missing: u64 = rows.missing_in(bin_rows).iter().map(RowRange::len).sum();
            let share = 1.0 - missing as f64 / bin_rows.len().max(1) as f64;
            letters += *bin as f64 * share;
        }
        letters.round() as u64
    }

    fn halve(&mut self) {
        self.bins = self.bins.chunks(2).map(|pair| pair.iter().sum()).collect();
        self.step *= 2;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `length(row)` letters.
    fn profile(rows: u64, length: impl Fn(u64) -> u64) -> Profile {
        let mut profile = Profile::default();
        for row in 0..rows {
            profile.add(length(row));
        }
        profile
    }

    #[track_caller]
    fn check(profile: &Profile, ranges: &[(u64, u64)], expected: u64) {
        let mut rows = RowSet::default();
        for &(start, end) in ranges {
            rows.insert(RowRange { start, end });
        }
        assert_eq!(profile.letters(&rows), expected);
    }

    #[test]
    fn letters_of_few_rows_are_exact() {
        let profile = profile(4096, |row| row);
        check(&profile, &[], 0);
        check(&profile, &[(0, 4096)], 4095 * 2048);
        check(&profile, &[(7, 8), (4000, 4002)], 7 + 4000 + 4001);
    }

    #[test]
    fn letters_of_many_rows_stay_in_their_bins() {
        for rows in [4097, 8192, 100_001] {
            let profile = profile(rows, |row| if row < rows / 2 { 100 } else { 10 });
            assert!(profile.bins.len() <= BINS && profile.bins.len() > BINS / 4);
            let (front, back) = (rows / 2, rows - rows / 2);
            check(&profile, &[(0, rows)], 100 * front + 10 * back);
            let step = profile.step;
            check(&profile, &[(0, step)], 100 * step);
            check(&profile, &[(rows - 1, rows)], 10);
            check(&profile, &[(0, 1)], 100);
        }
    }
}
