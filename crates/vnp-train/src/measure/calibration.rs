//! Calibration: how well scores serve as probabilities.

use serde::Serialize;

use crate::measure::call::Call;

/// The number of bins of equal width.
const BINS: usize = 10;

/// How scores compare with how often they are right.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Calibration {
    /// Ten bins of equal width, from score 0 to 1.
    pub bins: Vec<Bin>,
    /// The expected calibration error: the mean distance, over all calls, between the mean score of
    /// their bin and its share of viruses.
    pub expected_error: Option<f64>,
    /// The Brier score: the mean squared distance of scores from 0 (other) or 1 (virus).
    pub brier: Option<f64>,
}

/// The calls with scores in one range.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Bin {
    /// The smallest score.
    pub lower: f64,
    /// The score that is above all; the last bin includes it.
    pub upper: f64,
    /// The number of calls.
    pub count: usize,
    /// Their mean score.
    pub mean_score: Option<f64>,
    /// The share of them that is viral.
    pub viral_share: Option<f64>,
}

impl Calibration {
    /// The calibration of some calls.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let mut members: [Vec<&Call>; BINS] = Default::default();
        for call in calls {
            let bin = (f64::from(call.score) * BINS as f64) as usize;
            if let Some(members) = members.get_mut(bin.min(BINS - 1)) {
                members.push(call);
            }
        }
        let edge = |bin: usize| bin as f64 / BINS as f64;
        let bins: Vec<Bin> = members
            .iter()
            .enumerate()
            .map(|(bin, members)| Bin {
                lower: edge(bin),
                upper: edge(bin + 1),
                count: members.len(),
                mean_score: mean(members.iter().map(|call| f64::from(call.score))),
                viral_share: mean(members.iter().map(|call| label(call))),
            })
            .collect();
        let gaps = bins
            .iter()
            .filter_map(|bin| Some((bin.mean_score? - bin.viral_share?).abs() * bin.count as f64));
        let expected_error = gaps.sum::<f64>() / calls.len() as f64;
        let square = |call: &Call| (f64::from(call.score) - label(call)).powi(2);
        Self {
            expected_error: (!calls.is_empty()).then_some(expected_error),
            brier: mean(calls.iter().map(square)),
            bins,
        }
    }
}

/// The mean of some values; `None` of none.
pub(super) fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

fn label(call: &Call) -> f64 {
    f64::from(u8::from(call.is_virus))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::call::tests::calls;

    #[test]
    fn bins_hold_what_is_in_their_range() {
        let found = Calibration::of(&calls(&[0.95, 1.0, 0.25], &[0.05, 0.25, 0.0]));
        let counts: Vec<usize> = found.bins.iter().map(|bin| bin.count).collect();
        assert_eq!(counts, [2, 0, 2, 0, 0, 0, 0, 0, 0, 2]);
        let last = found.bins[9];
        assert_eq!((last.lower, last.upper, last.viral_share), (0.9, 1.0, Some(1.0)));
        assert!((last.mean_score.unwrap() - 0.975).abs() < 1e-6);
        assert_eq!(found.bins[2].viral_share, Some(0.5));
        assert_eq!(found.bins[1].mean_score, None);
        // (2 * 0.025 + 2 * 0.25 + 2 * 0.025) / 6
        assert!((found.expected_error.unwrap() - 0.1).abs() < 1e-6);
        // (0.05^2 + 0 + 0.75^2 + 0.05^2 + 0.25^2 + 0) / 6
        assert!((found.brier.unwrap() - 0.63 / 6.0).abs() < 1e-6);
    }

    #[test]
    fn nothing_is_said_of_nothing() {
        let found = Calibration::of(&[]);
        assert_eq!((found.expected_error, found.brier), (None, None));
    }
}
