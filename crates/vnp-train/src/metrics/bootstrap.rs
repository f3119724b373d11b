//! Intervals, by drawing groups again.
//!
//! Groups are what generalises: chunks of one genome are no independent observations. Groups with
//! viral calls and groups without are drawn apart, so that every resample has both classes in their
//! proportion of groups.

use std::collections::BTreeMap;

use rayon::prelude::*;
use serde::Serialize;

use super::ranking::Ranking;
use super::{Call, Confusion};
use crate::{Error, Rng};

/// Resamples of every interval.
const RESAMPLES: usize = 1000;
/// What they are drawn by: intervals of the same calls are the same.
const SEED: u64 = 1;

/// The middle 95 % of the resamples.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Interval {
    /// 2.5 % are below.
    pub lower: f64,
    /// 2.5 % are above.
    pub upper: f64,
}

/// How much better one set of scores is than another on the same calls.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Comparison {
    /// In the area under the curve.
    pub auroc: ScoreDifference,
    /// In balanced accuracy.
    pub balanced_accuracy: ScoreDifference,
}

/// One figure of a first set of scores less that of a second.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct ScoreDifference {
    /// Of all calls.
    pub value: f64,
    /// From resamples of the groups, the same for both sets.
    pub interval: Interval,
    /// The share of resamples in which the first is better, ties counting half.
    pub better_share: f64,
}

pub(super) struct Intervals {
    pub(super) auroc: Option<Interval>,
    pub(super) balanced_accuracy: Option<Interval>,
}

/// Compares two sets of scores of the same frames or chunks, in the same order, by a paired bootstrap
/// over their groups.
///
/// # Errors
/// [`Error::Mismatch`] where they are not of the same frames or chunks, or all of one class.
pub fn compare(first: &[Call], second: &[Call]) -> Result<Comparison, Error> {
    let what = |call: &Call| (call.is_virus, call.group);
    if !first.iter().map(what).eq(second.iter().map(what)) {
        let [expected, found] = [first, second].map(|calls| format!("{} calls", calls.len()));
        return Err(Error::Mismatch { what: "labels and groups of two sets", expected, found });
    }
    let groups = Groups::of(first);
    let (one, other) = (Sample::new(first), Sample::new(second));
    let [auroc, balanced_accuracy] = [Figure::Auroc, Figure::BalancedAccuracy].map(|figure| {
        let difference = |times: &[u32]| {
            Some(one.figure(figure, &groups, times)? - other.figure(figure, &groups, times)?)
        };
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
        (Some(auroc), Some(balanced_accuracy)) => Ok(Comparison { auroc, balanced_accuracy }),
        _ => Err(Error::Mismatch {
            what: "classes of two sets",
            expected: "both".to_owned(),
            found: "one or none".to_owned(),
        }),
    }
}

pub(super) fn intervals(calls: &[Call]) -> Intervals {
    let of = |figure| interval_of(figure, calls);
    Intervals { auroc: of(Figure::Auroc), balanced_accuracy: of(Figure::BalancedAccuracy) }
}

pub(super) fn accuracy_interval(calls: &[Call]) -> Option<Interval> {
    interval_of(Figure::Accuracy, calls)
}

fn interval_of(figure: Figure, calls: &[Call]) -> Option<Interval> {
    let (groups, sample) = (Groups::of(calls), Sample::new(calls));
    interval(groups.resample(|times| sample.figure(figure, &groups, times)))
}

/// What is resampled.
#[derive(Debug, Clone, Copy)]
enum Figure {
    Auroc,
    BalancedAccuracy,
    Accuracy,
}

/// Calls, prepared for many weightings of their groups.
struct Sample<'a> {
    ranking: Ranking<'a>,
    /// Of every group.
    confusions: BTreeMap<usize, Confusion>,
}

impl<'a> Sample<'a> {
    fn new(calls: &'a [Call]) -> Self {
        let mut members: BTreeMap<usize, Vec<Call>> = BTreeMap::new();
        calls.iter().for_each(|call| members.entry(call.group).or_default().push(*call));
        let confusions = members.into_iter().map(|(group, calls)| (group, Confusion::of(&calls)));
        Self { ranking: Ranking::new(calls), confusions: confusions.collect() }
    }

    /// A figure where each group is there so many times.
    fn figure(&self, figure: Figure, groups: &Groups, times: &[u32]) -> Option<f64> {
        match figure {
            Figure::Auroc => self.ranking.auroc(|call| groups.times(call.group, times)),
            Figure::BalancedAccuracy => self.confusion(groups, times).balanced_accuracy(),
            Figure::Accuracy => self.confusion(groups, times).accuracy(),
        }
    }

    fn confusion(&self, groups: &Groups, times: &[u32]) -> Confusion {
        self.confusions.iter().fold(Confusion::default(), |sum, (group, confusion)| {
            let times = groups.times(*group, times) as usize;
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
struct Groups {
    /// Numbers from 0 of those that there are, by what calls know them as; the largest of them is at
    /// the end.
    numbers: Vec<usize>,
    /// The numbers of those with viral calls, and of those without.
    strata: [Vec<usize>; 2],
}

impl Groups {
    fn of(calls: &[Call]) -> Self {
        let mut viral: BTreeMap<usize, bool> = BTreeMap::new();
        calls.iter().for_each(|call| *viral.entry(call.group).or_default() |= call.is_virus);
        let length = viral.last_key_value().map_or(0, |(group, _)| group + 1);
        let mut numbers = vec![0; length];
        let mut strata = [Vec::new(), Vec::new()];
        for (number, (group, is_viral)) in viral.into_iter().enumerate() {
            if let Some(place) = numbers.get_mut(group) {
                *place = number;
            }
            let [with, without] = &mut strata;
            (if is_viral { with } else { without }).push(number);
        }
        Self { numbers, strata }
    }

    fn count(&self) -> usize {
        self.strata.iter().map(Vec::len).sum()
    }

    /// Every group once.
    fn once(&self) -> Vec<u32> {
        vec![1; self.count()]
    }

    /// How often a group was drawn.
    fn times(&self, group: usize, times: &[u32]) -> u32 {
        let number = self.numbers.get(group).copied().unwrap_or(usize::MAX);
        times.get(number).copied().unwrap_or_default()
    }

    /// A figure of every resample, in order; those without one are left out.
    fn resample(&self, figure: impl Fn(&[u32]) -> Option<f64> + Sync) -> Vec<f64> {
        let draw = |resample: usize| {
            let mut rng = Rng::new(SEED, &format!("resample {resample}"));
            let mut times = vec![0; self.count()];
            for stratum in &self.strata {
                for _ in stratum {
                    let drawn = stratum.get(rng.below(stratum.len()));
                    let place = drawn.and_then(|group| times.get_mut(*group));
                    place.into_iter().for_each(|times| *times += 1);
                }
            }
            figure(&times)
        };
        (0..RESAMPLES).into_par_iter().filter_map(draw).collect()
    }
}

/// The middle 95 %, with lines between neighbours, as numpy's percentile has them.
fn interval(mut values: Vec<f64>) -> Option<Interval> {
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
mod tests {
    use super::*;

    /// Viral groups 0 to 9, others 10 to 19, ten calls each; scores are `shift` apart.
    fn groups(shift: f32) -> Vec<Call> {
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
        let figure = Ranking::new(&calls).auroc(|_| 1).unwrap();
        assert!(auroc.lower < figure && figure < auroc.upper && auroc.upper <= 1.0, "{auroc:?}");
        assert!(auroc.upper - auroc.lower > 0.05, "{auroc:?}");
        let figure = Confusion::of(&calls).balanced_accuracy().unwrap();
        assert!(accuracy.lower < figure && figure < accuracy.upper, "{accuracy:?}");
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

    #[test]
    fn a_better_set_is_told_from_chance() {
        let (good, fair) = (groups(0.15), groups(0.05));
        let found = compare(&good, &fair).unwrap();
        assert!(found.auroc.value > 0.0 && found.auroc.interval.lower > 0.0, "{found:?}");
        assert!(found.auroc.better_share > 0.99, "{found:?}");
        let back = compare(&fair, &good).unwrap();
        assert_eq!(back.auroc.value, -found.auroc.value);
        assert!(back.balanced_accuracy.interval.upper < 0.0, "{back:?}");
        let same = compare(&fair, &fair).unwrap();
        let nothing = Interval { lower: 0.0, upper: 0.0 };
        assert_eq!((same.auroc.interval, same.auroc.better_share), (nothing, 0.5));
    }

    #[test]
    fn sets_of_other_calls_are_not_compared() {
        let calls = groups(0.1);
        let Err(Error::Mismatch { what: "labels and groups of two sets", .. }) =
            compare(&calls, &calls[1..])
        else {
            panic!("199 calls were compared with 200")
        };
        let viral: Vec<Call> = calls.into_iter().filter(|call| call.is_virus).collect();
        let Err(Error::Mismatch { what: "classes of two sets", .. }) = compare(&viral, &viral)
        else {
            panic!("one class was compared")
        };
    }
}
