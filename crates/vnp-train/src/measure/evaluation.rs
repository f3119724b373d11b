//! Metrics of one split, by frame, by chunk and by kind of organism.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::data::examples::Examples;
use crate::error::Error;
use crate::measure::bootstrap::{Interval, accuracy_interval, intervals};
use crate::measure::calibration::{Calibration, mean};
use crate::measure::call::Call;
use crate::measure::confusion::Confusion;
use crate::measure::ranking::auroc;
use crate::split::Split;

/// The metrics of one split, by frame and by chunk.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The split.
    #[serde(rename = "part")]
    pub split: Split,
    /// By frame: viral where score2 is the larger.
    pub frames: Metrics,
    /// By chunk, as `vnp predict` decides.
    pub chunks: Metrics,
    /// By chunk for each kind of organism, viral kinds first.
    pub kinds: Vec<KindMetrics>,
}

/// Metrics over frames or chunks. A metric that a missing class leaves undefined is `None`.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// The confusion matrix.
    pub confusion: Confusion,
    /// The number of groups with viral calls.
    pub viral_groups: usize,
    /// The number of groups without viral calls.
    pub other_groups: usize,
    /// The share of correct calls.
    pub accuracy: Option<f64>,
    /// The mean of recall and specificity.
    pub balanced_accuracy: Option<f64>,
    /// The viral share of those called viral.
    pub precision: Option<f64>,
    /// The share of the viral ones that are called viral.
    pub recall: Option<f64>,
    /// The share of the others that are not called viral.
    pub specificity: Option<f64>,
    /// The harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// The chance that a viral one scores above another, ties counting half.
    pub auroc: Option<f64>,
    /// Its interval, from 1,000 resamples of the groups.
    pub auroc_interval: Option<Interval>,
    /// The interval of the balanced accuracy, from the same resamples.
    pub balanced_accuracy_interval: Option<Interval>,
    /// How well scores serve as probabilities.
    pub calibration: Calibration,
}

/// The metrics of the chunks of one kind of organism and one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindMetrics {
    /// The kind; empty where unknown.
    pub kind: String,
    /// Whether the class is that of viruses.
    pub is_virus: bool,
    /// The number of groups.
    pub groups: usize,
    /// The number of chunks.
    pub chunks: usize,
    /// The share of correct calls.
    pub accuracy: Option<f64>,
    /// Its interval, from 1,000 resamples of the groups.
    pub accuracy_interval: Option<Interval>,
    /// The mean score.
    pub mean_score: Option<f64>,
}

impl Evaluation {
    /// The metrics of one split; `scores` are `[score1, score2]` of every row of the examples.
    ///
    /// # Errors
    /// [`Error::Mismatch`] where there is not one score per row, or one is not finite.
    pub fn of(examples: &Examples, scores: &[[f32; 2]], split: Split) -> Result<Self, Error> {
        let chunks = Call::of_chunks(examples, scores, split)?;
        Ok(Self {
            split,
            frames: Metrics::of(&Call::of_frames(examples, scores, split)?),
            chunks: Metrics::of(&chunks),
            kinds: by_kind(examples, &chunks),
        })
    }
}

impl Metrics {
    /// The metrics of some calls.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let confusion = Confusion::of(calls);
        let groups = |is_virus: bool| -> BTreeSet<usize> {
            calls.iter().filter(|call| call.is_virus == is_virus).map(|call| call.group).collect()
        };
        let (viral, others) = (groups(true), groups(false));
        let intervals = intervals(calls);
        Self {
            confusion,
            viral_groups: viral.len(),
            other_groups: others.difference(&viral).count(),
            accuracy: confusion.accuracy(),
            balanced_accuracy: confusion.balanced_accuracy(),
            precision: confusion.precision(),
            recall: confusion.recall(),
            specificity: confusion.specificity(),
            f1: confusion.f1(),
            auroc: auroc(calls),
            auroc_interval: intervals.auroc,
            balanced_accuracy_interval: intervals.balanced_accuracy,
            calibration: Calibration::of(calls),
        }
    }
}

fn by_kind(examples: &Examples, calls: &[Call]) -> Vec<KindMetrics> {
    let mut kinds: BTreeMap<(bool, &str), Vec<Call>> = BTreeMap::new();
    for call in calls {
        let kind = examples.groups.get(call.group).map_or("", |group| group.kind.as_str());
        kinds.entry((!call.is_virus, kind)).or_default().push(*call);
    }
    let line = |((is_other, kind), calls): ((bool, &str), Vec<Call>)| KindMetrics {
        kind: kind.to_owned(),
        is_virus: !is_other,
        groups: calls.iter().map(|call| call.group).collect::<BTreeSet<_>>().len(),
        chunks: calls.len(),
        accuracy: Confusion::of(&calls).accuracy(),
        accuracy_interval: accuracy_interval(&calls),
        mean_score: mean(calls.iter().map(|call| f64::from(call.score))),
    };
    kinds.into_iter().map(line).collect()
}

#[cfg(test)]
mod tests;
