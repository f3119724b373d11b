//! How well viruses are told from others.

mod bootstrap;
mod calibration;
mod call;
mod confusion;
mod ranking;

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use crate::{Error, Examples, Part};

pub use bootstrap::{Comparison, Interval, ScoreDifference, compare};
pub use calibration::{Bin, Calibration};
pub use call::{Call, chunk_calls, frame_calls};
pub use confusion::Confusion;

/// Figures of one part, by its frames and by its chunks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Evaluation {
    /// The part.
    pub part: Part,
    /// Frame by frame: viral where score2 is the larger.
    pub frames: Metrics,
    /// Chunk by chunk, as `vnp predict` decides.
    pub chunks: Metrics,
    /// Chunks by kind of organism, viral kinds first.
    pub kinds: Vec<KindMetrics>,
}

/// Figures over frames or chunks. One that a missing class leaves undefined is absent.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Metrics {
    /// Who was called what.
    pub confusion: Confusion,
    /// Groups with viral ones.
    pub viral_groups: usize,
    /// Groups without.
    pub other_groups: usize,
    /// The share that is called rightly.
    pub accuracy: Option<f64>,
    /// The mean of the classes' shares that are called rightly.
    pub balanced_accuracy: Option<f64>,
    /// Of those called viral, the share that is.
    pub precision: Option<f64>,
    /// Of the viral, the share called so.
    pub recall: Option<f64>,
    /// Of the others, the share called so.
    pub specificity: Option<f64>,
    /// The harmonic mean of precision and recall.
    pub f1: Option<f64>,
    /// The chance that a viral one scores above another, ties counting half.
    pub auroc: Option<f64>,
    /// From 1,000 resamples of the groups.
    pub auroc_interval: Option<Interval>,
    /// From the same resamples.
    pub balanced_accuracy_interval: Option<Interval>,
    /// What scores are worth as probabilities.
    pub calibration: Calibration,
}

/// Figures of the chunks of one kind of organism and one class.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct KindMetrics {
    /// The kind; empty where unknown.
    pub kind: String,
    /// The class.
    pub is_virus: bool,
    /// Groups.
    pub groups: usize,
    /// Chunks.
    pub chunks: usize,
    /// The share that is called rightly.
    pub accuracy: Option<f64>,
    /// From 1,000 resamples of the groups.
    pub accuracy_interval: Option<Interval>,
    /// Mean score.
    pub mean_score: Option<f64>,
}

/// The scores of all examples by a head, in the order of the rows.
///
/// # Errors
/// Those of [`vnp_infer::Head::score`].
pub fn score(examples: &Examples, head: &vnp_infer::Head) -> Result<Vec<[f32; 2]>, Error> {
    /// Rows that are taken apart at a time.
    const ROWS: usize = 4096;
    let width = examples.width().max(1);
    let mut scores = Vec::with_capacity(examples.rows.len());
    for rows in examples.features.chunks(ROWS * width) {
        let (mut nucleotide, mut protein) = (Vec::new(), Vec::new());
        for row in rows.chunks_exact(width) {
            let (first, second) = row.split_at(examples.nucleotide_size);
            nucleotide.extend_from_slice(first);
            protein.extend_from_slice(second);
        }
        scores.extend(head.score(&nucleotide, &protein)?);
    }
    Ok(scores)
}

/// The figures of one part; `scores` are `[score1, score2]` of every row of the examples.
///
/// # Errors
/// [`Error::Mismatch`] where there is not one score a row, or one is not finite.
pub fn evaluate(examples: &Examples, scores: &[[f32; 2]], part: Part) -> Result<Evaluation, Error> {
    let chunks = chunk_calls(examples, scores, part)?;
    Ok(Evaluation {
        part,
        frames: Metrics::of(&frame_calls(examples, scores, part)?),
        chunks: Metrics::of(&chunks),
        kinds: by_kind(examples, &chunks),
    })
}

impl Metrics {
    /// The figures of some calls.
    #[must_use]
    pub fn of(calls: &[Call]) -> Self {
        let confusion = Confusion::of(calls);
        let groups = |is_virus: bool| -> BTreeSet<usize> {
            calls.iter().filter(|call| call.is_virus == is_virus).map(|call| call.group).collect()
        };
        let (viral, others) = (groups(true), groups(false));
        let intervals = bootstrap::intervals(calls);
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
            auroc: ranking::auroc(calls),
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
        accuracy_interval: bootstrap::accuracy_interval(&calls),
        mean_score: mean(calls.iter().map(|call| f64::from(call.score))),
    };
    kinds.into_iter().map(line).collect()
}

fn mean(values: impl ExactSizeIterator<Item = f64>) -> Option<f64> {
    let count = values.len();
    (count > 0).then(|| values.sum::<f64>() / count as f64)
}

#[cfg(test)]
mod tests;
