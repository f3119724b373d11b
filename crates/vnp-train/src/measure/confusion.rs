//! The confusion matrix.

use serde::Serialize;

use crate::measure::call::Call;

/// The numbers of calls by label and verdict.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Confusion {
    /// Viral, and called viral.
    pub true_viral: usize,
    /// Not viral, but called viral.
    pub false_viral: usize,
    /// Not viral, and not called viral.
    pub true_other: usize,
    /// Viral, but not called viral.
    pub false_other: usize,
}

impl Confusion {
    /// Counts some calls.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let count = |is_virus, is_viral| {
            let is = |call: &&Call| (call.is_virus, call.is_viral) == (is_virus, is_viral);
            calls.iter().filter(is).count()
        };
        Self {
            true_viral: count(true, true),
            false_viral: count(false, true),
            true_other: count(false, false),
            false_other: count(true, false),
        }
    }

    pub(super) fn accuracy(self) -> Option<f64> {
        let wrong = self.false_viral + self.false_other;
        share(self.true_viral + self.true_other, wrong)
    }

    pub(super) fn balanced_accuracy(self) -> Option<f64> {
        Some((self.recall()? + self.specificity()?) / 2.0)
    }

    pub(super) fn precision(self) -> Option<f64> {
        share(self.true_viral, self.false_viral)
    }

    pub(super) fn recall(self) -> Option<f64> {
        share(self.true_viral, self.false_other)
    }

    pub(super) fn specificity(self) -> Option<f64> {
        share(self.true_other, self.false_viral)
    }

    pub(super) fn f1(self) -> Option<f64> {
        share(2 * self.true_viral, self.false_viral + self.false_other)
    }
}

fn share(split: usize, rest: usize) -> Option<f64> {
    let all = split + rest;
    (all > 0).then(|| split as f64 / all as f64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(counts: [usize; 4], expected: [Option<f64>; 6]) {
        let [true_viral, false_viral, true_other, false_other] = counts;
        let found = Confusion { true_viral, false_viral, true_other, false_other };
        let found = [
            found.accuracy(),
            found.balanced_accuracy(),
            found.precision(),
            found.recall(),
            found.specificity(),
            found.f1(),
        ];
        assert_eq!(found, expected);
    }

    #[test]
    fn figures_are_their_formulas_and_absent_where_a_class_is() {
        check([3, 1, 4, 2], [0.7, 0.7, 0.75, 0.6, 0.8, 2.0 * 3.0 / 9.0].map(Some));
        check([0; 4], [None; 6]);
        check([0, 0, 5, 0], [Some(1.0), None, None, None, Some(1.0), None]);
        check([0, 0, 0, 2], [Some(0.0), None, None, Some(0.0), None, Some(0.0)]);
    }
}
