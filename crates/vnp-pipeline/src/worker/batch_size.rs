//! How many rows are computed at a time: adapted to the speed of the device.

use std::time::Duration;

/// How long a slice should take: short enough that a signal is answered within seconds, long
/// enough that batches are full.
const TARGET: Duration = Duration::from_secs(1);
/// One sequence of a large model can take a second by itself.
const SMALLEST: u64 = 1;
const FIRST: u64 = 16;
const LARGEST: u64 = 1 << 16;

/// Chooses how many rows to compute between two checks of the clock and of the stop flag.
///
/// The number has no influence on the results: on a CPU a row is a function of its sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdaptiveBatchSize {
    rows: u64,
}

impl Default for AdaptiveBatchSize {
    fn default() -> Self {
        Self { rows: FIRST }
    }
}

impl AdaptiveBatchSize {
    pub(crate) fn rows(self) -> u64 {
        self.rows
    }

    /// Learns from a slice of `rows` rows that took `time`.
    pub(crate) fn learn(&mut self, rows: u64, time: Duration) {
        if rows < self.rows {
            // The rest of a window says little about full slices.
            return;
        }
        if time < TARGET / 2 {
            self.rows = (self.rows * 2).min(LARGEST);
        } else if time > TARGET * 2 {
            self.rows = (self.rows / 2).max(SMALLEST);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(slices: &[(u64, u64)], expected: u64) {
        let mut size = AdaptiveBatchSize::default();
        for &(rows, millis) in slices {
            size.learn(rows, Duration::from_millis(millis));
        }
        assert_eq!(size.rows(), expected);
    }

    #[test]
    fn slices_grow_while_fast_and_shrink_while_slow() {
        check(&[], 16);
        check(&[(16, 10)], 32);
        check(&[(16, 10), (32, 900)], 32);
        check(&[(16, 10), (32, 2500)], 16);
        check(&[(16, 60_000)], 8);
        check(&[(16, 60_000), (8, 30_000), (4, 9_000), (2, 5_000), (1, 3_000)], 1);
        check(&[(3, 1)], 16);
        check(&[(1 << 20, 1); 30], 1 << 16);
    }
}
