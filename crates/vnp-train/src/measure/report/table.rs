//! Tables for people and for R: one metric per line.

use std::fmt::Write;

use crate::learn::epoch::Epoch;
use crate::measure::bootstrap::Interval;
use crate::measure::calibration::Bin;
use crate::measure::evaluation::{Evaluation, KindMetrics, Metrics};

/// `part, unit, kind, class, metric, value, lower, upper`: metrics of frames and chunks, then of the
/// chunks of every kind.
pub(super) fn metrics(evaluations: &[Evaluation]) -> String {
    let mut table = Table::default();
    for Evaluation { split, frames, chunks, kinds } in evaluations {
        table.unit([split.name(), "frames"], frames);
        table.unit([split.name(), "chunks"], chunks);
        for kind in kinds {
            table.kind(split.name(), kind);
        }
    }
    table.0
}

pub(super) fn history(history: &[Epoch]) -> String {
    let mut text = "epoch\tlearning_rate\ttraining_loss\tvalidation_loss\tbest\n".to_owned();
    for Epoch { epoch, rate, training_loss, validation_loss, is_best } in history {
        let best = if *is_best { "yes" } else { "no" };
        let epoch = epoch + 1;
        // A String takes everything.
        let _ = writeln!(text, "{epoch}\t{rate}\t{training_loss}\t{validation_loss}\t{best}");
    }
    text
}

struct Table(String);

impl Default for Table {
    fn default() -> Self {
        Self("part\tunit\tkind\tclass\tmetric\tvalue\tlower\tupper\n".to_owned())
    }
}

impl Table {
    fn unit(&mut self, [split, unit]: [&str; 2], metrics: &Metrics) {
        let place = [split, unit, "all", "both"];
        let confusion = metrics.confusion;
        for (name, count) in [
            ("true_viral", confusion.true_viral),
            ("false_viral", confusion.false_viral),
            ("true_other", confusion.true_other),
            ("false_other", confusion.false_other),
            ("viral_groups", metrics.viral_groups),
            ("other_groups", metrics.other_groups),
        ] {
            self.line(place, name, &count.to_string(), None);
        }
        let calibration = &metrics.calibration;
        for (name, value, interval) in [
            ("accuracy", metrics.accuracy, None),
            ("balanced_accuracy", metrics.balanced_accuracy, metrics.balanced_accuracy_interval),
            ("precision", metrics.precision, None),
            ("recall", metrics.recall, None),
            ("specificity", metrics.specificity, None),
            ("f1", metrics.f1, None),
            ("auroc", metrics.auroc, metrics.auroc_interval),
            ("brier_score", calibration.brier, None),
            ("expected_calibration_error", calibration.expected_error, None),
        ] {
            self.line(place, name, &figure(value), interval);
        }
        for Bin { lower, upper, count, mean_score, viral_share } in &calibration.bins {
            let name = |what| format!("bin_{lower:.1}_{upper:.1}_{what}");
            self.line(place, &name("count"), &count.to_string(), None);
            self.line(place, &name("mean_score"), &figure(*mean_score), None);
            self.line(place, &name("viral_share"), &figure(*viral_share), None);
        }
    }

    fn kind(&mut self, split: &str, metrics: &KindMetrics) {
        let KindMetrics { kind, is_virus, groups, chunks, .. } = metrics;
        let kind = if kind.is_empty() { "unknown" } else { kind };
        // A kind is free text, and a line is one line.
        let kind = kind.replace(['\t', '\n', '\r'], " ");
        let place = [split, "chunks", &kind, if *is_virus { "virus" } else { "others" }];
        self.line(place, "groups", &groups.to_string(), None);
        self.line(place, "count", &chunks.to_string(), None);
        self.line(place, "accuracy", &figure(metrics.accuracy), metrics.accuracy_interval);
        self.line(place, "mean_score", &figure(metrics.mean_score), None);
    }

    fn line(&mut self, place: [&str; 4], metric: &str, value: &str, interval: Option<Interval>) {
        let [lower, upper] = match interval {
            Some(Interval { lower, upper }) => [lower, upper].map(|x| figure(Some(x))),
            None => ["NA".to_owned(), "NA".to_owned()],
        };
        let place = place.join("\t");
        // A String takes everything.
        let _ = writeln!(self.0, "{place}\t{metric}\t{value}\t{lower}\t{upper}");
    }
}

fn figure(value: Option<f64>) -> String {
    // Adding 0 turns -0 into 0.
    value.map_or("NA".to_owned(), |value| format!("{:.6}", value + 0.0))
}
