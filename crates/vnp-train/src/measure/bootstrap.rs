//! Confidence intervals by bootstrap over groups.
//!
//! Groups are resampled because chunks of one genome are not independent observations. Groups with
//! viral calls and groups without are drawn separately, so that every resample has both classes in their
//! proportion of groups.

#![expect(
    clippy::indexing_slicing,
    reason = "groups are below `Groups::end`, the length of resamples"
)]

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use crate::measure::call::Call;
use crate::measure::confusion::Confusion;
use crate::measure::ranking::Ranking;
use crate::rng::Rng;

/// The number of resamples of every interval.
const RESAMPLES: usize = 1000;
/// The seed of the resamples: intervals of the same calls are the same.
const SEED: u64 = 1;

/// The middle 95 % of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// The bound below which 2.5 % are.
    pub lower: f64,
    /// The bound above which 2.5 % are.
    pub upper: f64,
}

pub(super) struct Intervals {
    pub(super) auroc: Option<Interval>,
    pub(super) balanced_accuracy: Option<Interval>,
}

pub(super) fn intervals(calls: &[Call]) -> Intervals {
    let of = |metric| interval_of(metric, calls);
    Intervals { auroc: of(Metric::Auroc), balanced_accuracy: of(Metric::BalancedAccuracy) }
}

pub(super) fn accuracy_interval(calls: &[Call]) -> Option<Interval> {
    interval_of(Metric::Accuracy, calls)
}

fn interval_of(metric: Metric, calls: &[Call]) -> Option<Interval> {
    let (groups, sample) = (Groups::of(calls), Sample::new(calls));
    interval(groups.resample(|times| sample.metric(metric, times)))
}

/// The metric that is resampled.
#[derive(Debug, Clone, Copy)]
pub(super) enum Metric {
    Auroc,
    BalancedAccuracy,
    Accuracy,
}

/// Calls, prepared for many resamples of their groups.
pub(super) struct Sample<'a> {
    ranking: Ranking<'a>,
    /// The confusion matrix of every group.
    confusions: BTreeMap<usize, Confusion>,
}

impl<'a> Sample<'a> {
    pub(super) fn new(calls: &'a [Call]) -> Self {
        let mut members: BTreeMap<usize, Vec<Call>> = BTreeMap::new();
        calls.iter().for_each(|call| members.entry(call.group).or_default().push(*call));
        let confusions = members.into_iter().map(|(group, calls)| (group, Confusion::of(&calls)));
        Self { ranking: Ranking::new(calls), confusions: confusions.collect() }
    }

    /// The metric of a resample, which has each group `times[group]` times.
    pub(super) fn metric(&self, metric: Metric, times: &[u32]) -> Option<f64> {
        match metric {
            Metric::Auroc => self.ranking.auroc(|call| times[call.group]),
            Metric::BalancedAccuracy => self.confusion(times).balanced_accuracy(),
            Metric::Accuracy => self.confusion(times).accuracy(),
        }
    }

    fn confusion(&self, times: &[u32]) -> Confusion {
        self.confusions.iter().fold(Confusion::default(), |sum, (group, confusion)| {
            let times = times[*group] as usize;
            Confusion {
                true_viral: sum.true_viral + times * confusion.true_viral,
                false_viral: sum.false_viral + times * confusion.false_viral,
                true_other: sum.true_other + times * confusion.true_other,
                false_other: sum.false_other + times * confusion.false_other,
            }
        })
    }
}

/// The groups of some calls.
pub(super) struct Groups {
    /// One more than the largest index of a group.
    end: usize,
    /// The groups with viral calls, and those without.
    strata: [Vec<usize>; 2],
}

impl Groups {
    pub(super) fn of(calls: &[Call]) -> Self {
        let mut viral: BTreeMap<usize, bool> = BTreeMap::new();
        calls.iter().for_each(|call| *viral.entry(call.group).or_default() |= call.is_virus);
        let end = viral.last_key_value().map_or(0, |(group, _)| group + 1);
        let (with, without): (Vec<_>, Vec<_>) = viral.into_iter().partition(|(_, viral)| *viral);
        let strata = [with, without];
        Self { end, strata: strata.map(|groups| groups.into_iter().map(|(g, _)| g).collect()) }
    }

    /// The resample with every group once.
    pub(super) fn once(&self) -> Vec<u32> {
        vec![1; self.end]
    }

    /// The metric of every resample, in order; resamples for which it is undefined are left out.
    pub(super) fn resample(&self, metric: impl Fn(&[u32]) -> Option<f64> + Sync) -> Vec<f64> {
        let draw = |resample: usize| {
            let mut rng = Rng::new(SEED, &format!("resample {resample}"));
            let mut times = vec![0; self.end];
            for stratum in &self.strata {
                for _ in stratum {
                    times[stratum[rng.below(stratum.len())]] += 1;
                }
            }
            metric(&times)
        };
        (0..RESAMPLES).into_par_iter().filter_map(draw).collect()
    }
}

/// The middle 95 %, with linear interpolation as in numpy's percentile.
pub(super) fn interval(mut values: Vec<f64>) -> Option<Interval> {
    values.sort_by(f64::total_cmp);
    let at = |share: f64| {
        let place = share * values.len().checked_sub(1)? as f64;
        let (low, high) = (place.floor() as usize, place.ceil() as usize);
        let (low, high) = (values.get(low)?, values.get(high)?);
        Some(low + (high - low) * place.fract())
    };
    Some(Interval { lower: at(0.025)?, upper: at(0.975)? })
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Viral groups 0 to 9, others 10 to 19, ten calls each; scores are `shift` apart.
    pub(in crate::measure) fn groups(shift: f32) -> Vec<Call> {
        let mut rng = Rng::new(1, "calls");
        let of_group = |group: usize| {
            let own = 0.1 * rng.normal();
            let is_virus = group < 10;
            let mut call = |_| {
                let score = 0.5 + if is_virus { shift } else { -shift } + own + 0.1 * rng.normal();
                Call { is_virus, group, score, is_viral: score > 0.5 }
            };
            (0..10).map(&mut call).collect::<Vec<_>>()
        };
        (0..20).flat_map(of_group).collect()
    }

    #[test]
    fn an_interval_holds_the_figure_and_repeats() {
        let calls = groups(0.1);
        let found = intervals(&calls);
        let (auroc, accuracy) = (found.auroc.unwrap(), found.balanced_accuracy.unwrap());
        let metric = Ranking::new(&calls).auroc(|_| 1).unwrap();
        assert!(auroc.lower < metric && metric < auroc.upper && auroc.upper <= 1.0, "{auroc:?}");
        assert!(auroc.upper - auroc.lower > 0.05, "{auroc:?}");
        let metric = Confusion::of(&calls).balanced_accuracy().unwrap();
        assert!(accuracy.lower < metric && metric < accuracy.upper, "{accuracy:?}");
        assert_eq!(intervals(&calls).auroc, Some(auroc));
    }

    #[test]
    fn groups_are_drawn_and_not_calls() {
        // Each group is one call ten times over: as uncertain as twenty calls, not two hundred.
        let one: Vec<Call> = groups(0.1).into_iter().step_by(10).collect();
        let ten: Vec<Call> = one.iter().flat_map(|call| [*call; 10]).collect();
        assert_eq!(intervals(&one).auroc, intervals(&ten).auroc);
    }

    #[test]
    fn there_is_no_interval_without_both_classes() {
        let viral: Vec<Call> = groups(0.1).into_iter().filter(|call| call.is_virus).collect();
        let found = intervals(&viral);
        assert_eq!((found.auroc, found.balanced_accuracy), (None, None));
        assert!(accuracy_interval(&viral).is_some());
        assert_eq!(accuracy_interval(&[]), None);
    }

    #[test]
    fn percentiles_are_those_of_numpy() {
        // numpy.percentile(range(11), [2.5, 97.5])
        let found = interval((0..11).map(f64::from).rev().collect()).unwrap();
        assert!((found.lower - 0.25).abs() < 1e-12 && (found.upper - 9.75).abs() < 1e-12);
    }
}
