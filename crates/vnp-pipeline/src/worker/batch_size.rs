//! How many rows are computed at a time: adapted to the speed of the device.

use std::time::Duration;

/// How long a slice should take: short enough that a signal is answered within seconds, long
/// enough that batches are full.
const TARGET: Duration = Duration::from_secs(1);
const LARGEST: u64 = 1 << 16;
/// Rows of the first slice at most, of which the cost is estimated.
pub(super) const FIRST_ROWS: usize = 16;
/// Operations per second before any were timed: rather too few, for then the first slice is short.
const PER_THREAD: f64 = 4e10;
const ON_DEVICE: f64 = 1e13;

/// Chooses how many rows to compute between two checks of the clock and of the stop flag.
///
/// The number has no influence on the results: on a CPU a row is a function of its sequence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct AdaptiveBatchSize {
    rows: u64,
    /// A row for each thread takes no longer than one row.
    smallest: u64,
}

impl AdaptiveBatchSize {
    /// The first size, for rows of about `flops` operations each (zero if they are unknown), on this number of CPU
    /// threads or else on a device.
    pub(crate) fn new(flops: f64, threads: Option<usize>) -> Self {
        let smallest = threads.unwrap_or(1).max(1) as u64;
        let rows = (flops_in_time(threads) / flops.max(1.0)) as u64;
        let rows = rows.min(FIRST_ROWS as u64).max(smallest);
        Self { rows, smallest }
    }

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
            self.rows = (self.rows / 2).max(self.smallest);
        }
    }
}

/// The operations of a slice, before any were timed.
pub(crate) fn flops_in_time(threads: Option<usize>) -> f64 {
    let speed = threads.map_or(ON_DEVICE, |threads| PER_THREAD * threads as f64);
    speed * TARGET.as_secs_f64()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_first(flops: f64, threads: Option<usize>, expected: u64) {
        assert_eq!(AdaptiveBatchSize::new(flops, threads).rows(), expected);
    }

    /// The 650-million and the 3-billion ESM-2 take 2e11 and 8e11 operations for a frame of 500 bp.
    #[test]
    fn the_first_slice_takes_about_a_second() {
        check_first(0.0, None, 16);
        check_first(1e8, Some(2), 16);
        check_first(1e10, Some(2), 8);
        check_first(2e11, Some(2), 2);
        check_first(8e11, Some(1), 1);
        check_first(8e11, Some(16), 16);
        check_first(8e11, Some(64), 64);
        check_first(8e11, None, 12);
        check_first(f64::INFINITY, None, 1);
        check_first(f64::NAN, Some(1), 16);
    }

    #[track_caller]
    fn check(threads: usize, slices: &[(u64, u64)], expected: u64) {
        let mut size = AdaptiveBatchSize::new(0.0, Some(threads));
        for &(rows, millis) in slices {
            size.learn(rows, Duration::from_millis(millis));
        }
        assert_eq!(size.rows(), expected);
    }

    #[test]
    fn slices_grow_while_fast_and_shrink_while_slow() {
        check(1, &[], 16);
        check(1, &[(16, 10)], 32);
        check(1, &[(16, 10), (32, 900)], 32);
        check(1, &[(16, 10), (32, 2500)], 16);
        check(1, &[(16, 60_000)], 8);
        let slow = [(16, 60_000), (8, 30_000), (4, 9_000), (2, 5_000), (1, 3_000)];
        check(1, &slow, 1);
        check(6, &slow, 6);
        check(1, &[(3, 1)], 16);
        check(1, &[(1 << 20, 1); 30], 1 << 16);
    }
}
