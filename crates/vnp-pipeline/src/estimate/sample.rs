//! Rows drawn from all over the input.

/// Rows that are kept at most.
const MOST: usize = 128;

/// The sequences of every n-th row, n being the smallest power of two for which they are few enough.
#[derive(Clone, Debug)]
pub(super) struct Sample {
    step: u64,
    seen: u64,
    rows: Vec<Vec<String>>,
}

impl Default for Sample {
    fn default() -> Self {
        Self { step: 1, seen: 0, rows: Vec::new() }
    }
}

impl Sample {
    /// Offers a row; its sequences are asked for only if it is kept.
    pub(super) fn add(&mut self, sequences: impl FnOnce() -> Vec<String>) {
        let row = self.seen;
        self.seen += 1;
        if row.is_multiple_of(self.step) && self.rows.len() == MOST {
            let mut kept = false;
            self.rows.retain(|_| {
                kept = !kept;
                kept
            });
            self.step *= 2;
        }
        if row.is_multiple_of(self.step) {
            self.rows.push(sequences());
        }
    }

    /// Rows that are kept.
    pub(super) fn rows(&self) -> u64 {
        self.rows.len() as u64
    }

    /// Their sequences.
    pub(super) fn sequences(&self) -> Vec<&str> {
        self.rows.iter().flatten().map(String::as_str).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(rows: usize, kept: usize, step: usize) {
        let mut sample = Sample::default();
        for row in 0..rows {
            sample.add(|| vec![row.to_string(), format!("-{row}")]);
        }
        let expected: Vec<String> = (0..kept)
            .map(|i| i * step)
            .flat_map(|row| [row.to_string(), format!("-{row}")])
            .collect();
        assert_eq!(sample.sequences(), expected, "of {rows}");
        assert_eq!(sample.rows(), kept as u64);
    }

    #[test]
    fn a_sample_is_spread_over_all_rows() {
        check(0, 0, 1);
        check(5, 5, 1);
        check(128, 128, 1);
        check(129, 65, 2);
        check(256, 128, 2);
        check(257, 65, 4);
        check(10_000, 79, 128);
    }
}
