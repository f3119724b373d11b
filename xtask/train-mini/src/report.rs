//! Metrics of one classifier over all folds, and differences between two.

use anyhow::{Context, Result};
use serde::Serialize;
use serde_json::{Value, json};
use vnp_train::{Call, Comparison, Evaluation, Examples, Split};

use super::trial::Scored;

/// The scores of one classifier over all folds.
#[derive(Default)]
pub(crate) struct Pool {
    rows: Examples,
    scores: Vec<[f32; 2]>,
    /// Area under the curve and balanced accuracy of each fold.
    folds: Vec<FoldFigures>,
}

/// The metrics of one fold, over chunks.
#[derive(Debug, Clone, Copy, Serialize)]
pub(crate) struct FoldFigures {
    pub(crate) auroc: f64,
    pub(crate) balanced_accuracy: f64,
    pub(crate) viral_chunks: usize,
    pub(crate) other_chunks: usize,
}

impl Pool {
    /// Adds a fold, and returns its metrics.
    pub(crate) fn add(&mut self, fold: &Scored) -> Result<FoldFigures> {
        let found = Evaluation::of(&fold.rows, &fold.scores, Split::Test)?.chunks;
        let figures = FoldFigures {
            auroc: found.auroc.context("a fold lacks a class")?,
            balanced_accuracy: found.balanced_accuracy.context("a fold lacks a class")?,
            viral_chunks: found.confusion.true_viral + found.confusion.false_other,
            other_chunks: found.confusion.true_other + found.confusion.false_viral,
        };
        let offset = self.rows.chunks;
        self.rows.groups.clone_from(&fold.rows.groups);
        self.rows.rows.extend(fold.rows.rows.iter().cloned().map(|mut row| {
            row.chunk += offset;
            row
        }));
        self.rows.chunks += fold.rows.chunks;
        self.scores.extend(&fold.scores);
        self.folds.push(figures);
        Ok(figures)
    }

    /// The metrics of all chunks together, each scored by the model that was not trained on its group.
    pub(crate) fn evaluation(&self) -> Result<Evaluation> {
        Ok(Evaluation::of(&self.tested(), &self.scores, Split::Test)?)
    }

    /// The rows with every group counted as tested.
    fn tested(&self) -> Examples {
        let mut rows = self.rows.clone();
        rows.groups.iter_mut().for_each(|group| group.split = Split::Test);
        rows
    }

    /// The difference to other scores of the same chunks.
    pub(crate) fn compared(&self, other: &Self) -> Result<Comparison> {
        let calls = |pool: &Self| Call::of_chunks(&pool.tested(), &pool.scores, Split::Test);
        Ok(Comparison::of(&calls(self)?, &calls(other)?)?)
    }

    fn mean(&self, figure: impl Fn(&FoldFigures) -> f64) -> f64 {
        self.folds.iter().map(figure).sum::<f64>() / self.folds.len().max(1) as f64
    }

    pub(crate) fn json(&self) -> Result<Value> {
        let mut pooled = Evaluation::json(&[self.evaluation()?])?;
        let pooled = pooled["parts"][0].take();
        Ok(json!({
            "fold_mean_auroc": round(self.mean(|fold| fold.auroc)),
            "fold_mean_balanced_accuracy": round(self.mean(|fold| fold.balanced_accuracy)),
            "folds": self.folds.iter().map(|fold| json!({
                "auroc": round(fold.auroc),
                "balanced_accuracy": round(fold.balanced_accuracy),
                "viral_chunks": fold.viral_chunks,
                "other_chunks": fold.other_chunks,
            })).collect::<Vec<_>>(),
            "all_chunks": pooled["chunks"],
            "kinds": pooled["kinds"],
        }))
    }

    /// The metrics as text.
    pub(crate) fn describe(&self, name: &str) -> Result<String> {
        let list = |figure: &dyn Fn(&FoldFigures) -> f64| {
            let folds: Vec<_> = self.folds.iter().map(|f| format!("{:.3}", figure(f))).collect();
            format!("{:.3} ({})", self.mean(figure), folds.join(" "))
        };
        let mut text = format!(
            "{name}: fold mean AUROC {}, balanced accuracy {}",
            list(&|fold| fold.auroc),
            list(&|fold| fold.balanced_accuracy)
        );
        for kind in self.evaluation()?.kinds {
            let interval = kind.accuracy_interval.map_or_else(String::new, |interval| {
                format!(" ({:.3} to {:.3})", interval.lower, interval.upper)
            });
            text.push_str(&format!(
                "\n             {} {}: {} chunks of {} groups, {:.3}{interval} classified correctly",
                if kind.is_virus { "virus" } else { "other" },
                kind.kind,
                kind.chunks,
                kind.groups,
                kind.accuracy.unwrap_or(f64::NAN),
            ));
        }
        Ok(text)
    }
}

/// A comparison as text.
pub(crate) fn difference(name: &str, found: &Comparison) -> String {
    let one = |what: &str, difference: &vnp_train::ScoreDifference| {
        format!(
            "{what} {:+.4} ({:+.4} to {:+.4}), better in {:.1} % of the resamples",
            difference.value,
            difference.interval.lower,
            difference.interval.upper,
            100.0 * difference.better_share
        )
    };
    format!(
        "mini minus {name}: {}; {}",
        one("AUROC", &found.auroc),
        one("balanced accuracy", &found.balanced_accuracy)
    )
}

/// A comparison for the metadata of the bundle.
pub(crate) fn difference_json(found: &Comparison) -> Value {
    let one = |difference: &vnp_train::ScoreDifference| {
        json!({
            "value": round(difference.value),
            "lower": round(difference.interval.lower),
            "upper": round(difference.interval.upper),
            "better_share": round(difference.better_share),
        })
    };
    json!({ "auroc": one(&found.auroc), "balanced_accuracy": one(&found.balanced_accuracy) })
}

fn round(x: f64) -> f64 {
    (x * 1e4).round() / 1e4
}
