//! Compares two sets of scores of the same frames or chunks.

use serde::Serialize;

use crate::error::Error;
use crate::measure::bootstrap::{Groups, Interval, Metric, Sample, interval};
use crate::measure::call::Call;

/// How much better one set of scores is than another on the same calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// The difference in the area under the curve.
    pub auroc: ScoreDifference,
    /// The difference in balanced accuracy.
    pub balanced_accuracy: ScoreDifference,
}

/// A metric of the first set of scores minus that of the second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// The difference over all calls.
    pub value: f64,
    /// The interval from resamples of the groups, the same for both sets.
    pub interval: Interval,
    /// The share of resamples in which the first is better, ties counting half.
    pub better_share: f64,
}

impl Comparison {
    /// Compares two sets of scores of the same frames or chunks, in the same order, by a paired bootstrap
    /// over their groups.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where they are not of the same frames or chunks, or all of one class.
    pub fn of(first: &[Call], second: &[Call]) -> Result<Self, Error> {
        let what = |call: &Call| (call.is_virus, call.group);
        if !first.iter().map(what).eq(second.iter().map(what)) {
            let [expected, found] = [first, second].map(|calls| format!("{} calls", calls.len()));
            return Err(Error::Mismatch { what: "labels and groups of two sets", expected, found });
        }
        let groups = Groups::of(first);
        let (one, other) = (Sample::new(first), Sample::new(second));
        let [auroc, balanced_accuracy] = [Metric::Auroc, Metric::BalancedAccuracy].map(|metric| {
            let difference =
                |times: &[u32]| Some(one.metric(metric, times)? - other.metric(metric, times)?);
            let values = groups.resample(difference);
            let better =
                |value: &f64| if *value == 0.0 { 0.5 } else { f64::from(u8::from(*value > 0.0)) };
            Some(ScoreDifference {
                value: difference(&groups.once())?,
                better_share: values.iter().map(better).sum::<f64>() / values.len().max(1) as f64,
                interval: interval(values)?,
            })
        });
        match (auroc, balanced_accuracy) {
            (Some(auroc), Some(balanced_accuracy)) => Ok(Self { auroc, balanced_accuracy }),
            _ => Err(Error::Mismatch {
                what: "classes of two sets",
                expected: "both".to_owned(),
                found: "one or none".to_owned(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::measure::bootstrap::tests::groups;

    #[test]
    fn a_better_set_is_told_from_chance() {
        let (good, fair) = (groups(0.15), groups(0.05));
        let found = Comparison::of(&good, &fair).unwrap();
        assert!(found.auroc.value > 0.0 && found.auroc.interval.lower > 0.0, "{found:?}");
        assert!(found.auroc.better_share > 0.99, "{found:?}");
        let back = Comparison::of(&fair, &good).unwrap();
        assert_eq!(back.auroc.value, -found.auroc.value);
        assert!(back.balanced_accuracy.interval.upper < 0.0, "{back:?}");
        let same = Comparison::of(&fair, &fair).unwrap();
        let nothing = Interval { lower: 0.0, upper: 0.0 };
        assert_eq!((same.auroc.interval, same.auroc.better_share), (nothing, 0.5));
    }

    #[test]
    fn sets_of_other_calls_are_not_compared() {
        let calls = groups(0.1);
        let Err(Error::Mismatch { what: "labels and groups of two sets", .. }) =
            Comparison::of(&calls, &calls[1..])
        else {
            panic!("199 calls were compared with 200")
        };
        let viral: Vec<Call> = calls.into_iter().filter(|call| call.is_virus).collect();
        let Err(Error::Mismatch { what: "classes of two sets", .. }) =
            Comparison::of(&viral, &viral)
        else {
            panic!("one class was compared")
        };
    }
}
