//! The area under the receiver operating characteristic.

use crate::measure::call::Call;

/// The chance that a viral one scores above another, ties counting half; none without both.
pub(super) fn auroc(calls: &[Call]) -> Option<f64> {
    Ranking::new(calls).auroc(|_| 1)
}

/// Calls in the order of their scores, sorted once for many weightings.
pub(super) struct Ranking<'a> {
    calls: Vec<&'a Call>,
}

impl<'a> Ranking<'a> {
    pub(super) fn new(calls: &'a [Call]) -> Self {
        let mut calls: Vec<&Call> = calls.iter().collect();
        calls.sort_by(|one, other| one.score.total_cmp(&other.score));
        Self { calls }
    }

    /// The area where each call counts `times`.
    pub(super) fn auroc(&self, times: impl Fn(&Call) -> u32) -> Option<f64> {
        let (mut below, mut viral, mut sum) = (0.0, 0.0, 0.0);
        for ties in self.calls.chunk_by(|one, other| one.score == other.score) {
            let (mut virus, mut other) = (0.0, 0.0);
            for call in ties {
                *(if call.is_virus { &mut virus } else { &mut other }) += f64::from(times(call));
            }
            sum += virus * (below + other / 2.0);
            below += other;
            viral += virus;
        }
        (viral > 0.0 && below > 0.0).then(|| sum / (viral * below))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::call::tests::calls;

    #[track_caller]
    fn check(viral: &[f32], other: &[f32], expected: Option<f64>) {
        assert_eq!(auroc(&calls(viral, other)), expected);
    }

    #[test]
    fn the_area_counts_pairs_in_order() {
        check(&[0.9, 0.8], &[0.1, 0.2], Some(1.0));
        check(&[0.1, 0.2], &[0.9, 0.8], Some(0.0));
        check(&[0.5], &[0.5], Some(0.5));
        check(&[0.9, 0.3], &[0.5, 0.3], Some(0.625));
        check(&[0.5], &[], None);
        check(&[], &[], None);
    }

    #[test]
    fn a_call_that_is_there_twice_counts_twice() {
        let once = calls(&[0.9, 0.3], &[0.5, 0.3, 0.1]);
        let twice = calls(&[0.9, 0.3, 0.3], &[0.5, 0.5, 0.3, 0.1]);
        let times = |call: &Call| match (call.is_virus, call.score) {
            (true, 0.3) | (false, 0.5) => 2,
            _ => 1,
        };
        assert_eq!(Ranking::new(&once).auroc(times), auroc(&twice));
        assert_eq!(Ranking::new(&once).auroc(|call| u32::from(call.is_virus)), None);
    }
}
