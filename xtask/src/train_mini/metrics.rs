//! How well chunks are told apart.

use serde::Serialize;

/// A scored chunk.
#[derive(Debug, Clone)]
pub(crate) struct Scored {
    pub(crate) is_virus: bool,
    /// Score 2 of its most decided frame.
    pub(crate) score: f32,
    pub(crate) kind: String,
    pub(crate) group: usize,
}

/// Figures over all chunks of a part.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct Metrics {
    pub(crate) accuracy: f64,
    pub(crate) auroc: f64,
    pub(crate) f1: f64,
    pub(crate) viral_chunks: usize,
    pub(crate) host_chunks: usize,
    pub(crate) viral_groups: usize,
    pub(crate) host_groups: usize,
}

/// Figures of one kind of organism; of one class only, so that accuracy is all there is.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub(crate) struct KindMetrics {
    pub(crate) kind: String,
    pub(crate) is_virus: bool,
    pub(crate) chunks: usize,
    pub(crate) groups: usize,
    pub(crate) accuracy: f64,
}

impl Scored {
    fn is_right(&self) -> bool {
        (self.score > 0.5) == self.is_virus
    }
}

/// Figures in which both classes weigh the same, whatever their numbers of chunks: accuracy is the
/// mean of the classes' accuracies, and F1 that of equal classes. The area under the curve does not
/// depend on the classes' sizes.
pub(crate) fn balanced(chunks: &[Scored]) -> Metrics {
    let part = |is_virus| chunks.iter().filter(move |chunk| chunk.is_virus == is_virus);
    let right = |is_virus| {
        let (mut count, mut right) = (0usize, 0usize);
        for chunk in part(is_virus) {
            count += 1;
            right += usize::from(chunk.is_right());
        }
        right as f64 / count.max(1) as f64
    };
    let (sensitivity, specificity) = (right(true), right(false));
    let found = sensitivity + (1.0 - specificity);
    Metrics {
        accuracy: round((sensitivity + specificity) / 2.0),
        auroc: round(auroc(chunks)),
        f1: round(2.0 * sensitivity / (1.0 + found)),
        viral_chunks: part(true).count(),
        host_chunks: part(false).count(),
        viral_groups: distinct(part(true).map(|chunk| chunk.group)),
        host_groups: distinct(part(false).map(|chunk| chunk.group)),
    }
}

/// One line for every kind of organism.
pub(crate) fn by_kind(chunks: &[Scored]) -> Vec<KindMetrics> {
    let mut kinds: Vec<(bool, &str)> =
        chunks.iter().map(|chunk| (!chunk.is_virus, chunk.kind.as_str())).collect();
    kinds.sort_unstable();
    kinds.dedup();
    let line = |(is_host, kind): (bool, &str)| {
        let members: Vec<_> =
            chunks.iter().filter(|chunk| chunk.kind == kind && chunk.is_virus != is_host).collect();
        let right = members.iter().filter(|chunk| chunk.is_right()).count();
        KindMetrics {
            kind: kind.to_owned(),
            is_virus: !is_host,
            chunks: members.len(),
            groups: distinct(members.iter().map(|chunk| chunk.group)),
            accuracy: round(right as f64 / members.len().max(1) as f64),
        }
    };
    kinds.into_iter().map(line).collect()
}

/// The chance that a viral chunk scores above another one, ties counting half.
pub(crate) fn auroc(chunks: &[Scored]) -> f64 {
    let mut order: Vec<&Scored> = chunks.iter().collect();
    order.sort_by(|a, b| a.score.total_cmp(&b.score));
    let (mut below, mut viral, mut sum) = (0.0, 0.0, 0.0);
    for ties in order.chunk_by(|a, b| a.score == b.score) {
        let virus = ties.iter().filter(|chunk| chunk.is_virus).count() as f64;
        let other = ties.len() as f64 - virus;
        sum += virus * (below + other / 2.0);
        below += other;
        viral += virus;
    }
    if viral == 0.0 || below == 0.0 { f64::NAN } else { sum / (viral * below) }
}

fn distinct(groups: impl Iterator<Item = usize>) -> usize {
    groups.collect::<std::collections::BTreeSet<_>>().len()
}

/// Four digits are more than the figures are worth.
fn round(value: f64) -> f64 {
    (value * 1e4).round() / 1e4
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks(viral: &[f32], host: &[f32]) -> Vec<Scored> {
        let scored = |is_virus| {
            move |score: &f32| Scored { is_virus, score: *score, kind: "k".to_owned(), group: 0 }
        };
        viral.iter().map(scored(true)).chain(host.iter().map(scored(false))).collect()
    }

    fn check_auroc(viral: &[f32], host: &[f32], expected: f64) {
        assert!((auroc(&chunks(viral, host)) - expected).abs() < 1e-12);
    }

    #[test]
    fn the_area_counts_pairs_in_order() {
        check_auroc(&[0.9, 0.8], &[0.1, 0.2], 1.0);
        check_auroc(&[0.1, 0.2], &[0.9, 0.8], 0.0);
        check_auroc(&[0.5], &[0.5], 0.5);
        check_auroc(&[0.9, 0.3], &[0.5, 0.3], 0.625);
        assert!(auroc(&chunks(&[0.5], &[])).is_nan());
    }

    #[test]
    fn classes_weigh_the_same() {
        let metrics = balanced(&chunks(&[0.9, 0.1], &[0.1, 0.2, 0.3, 0.9]));
        assert_eq!((metrics.accuracy, metrics.viral_chunks, metrics.host_chunks), (0.625, 2, 4));
        // Of equal classes 0.5 and 0.25 are called viral, and 0.5 rightly.
        assert_eq!(metrics.f1, round(2.0 * 0.5 / (1.0 + 0.75)));
        let kinds = by_kind(&chunks(&[0.9, 0.1], &[0.1]));
        let lines: Vec<_> = kinds.iter().map(|k| (k.is_virus, k.chunks, k.accuracy)).collect();
        assert_eq!(lines, [(true, 2, 0.5), (false, 1, 1.0)]);
    }
}
