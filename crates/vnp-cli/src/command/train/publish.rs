//! Publishes a training, and logs what it is worth.

use vnp_train::{Evaluation, Input, Published, Request, Training};

use super::output::{Output, names};
use crate::args::TrainArgs;

/// Writes the results of a training to the output directory.
pub(super) fn publish(
    args: &TrainArgs,
    inputs: &[Input],
    output: &Output,
    training: &dyn Training,
) -> anyhow::Result<()> {
    let name = bundle_name(args);
    let request = Request { name: &name, model: &args.model, inputs };
    let Published { bundle, evaluations } =
        vnp_train::publish(training, &request, output.directory())?;
    evaluations.iter().for_each(log_evaluation);
    let epochs = training.history().len();
    log::info!("of {epochs} epochs, number {} was kept", training.epoch() + 1);
    log::info!(
        "bundle {} for chunks of {} bp is in {}; metrics are next to it",
        bundle.name(),
        bundle.expected_length(),
        output.path().join(names::BUNDLE).display()
    );
    Ok(())
}

/// The name asked for, or that of the output directory.
fn bundle_name(args: &TrainArgs) -> String {
    match (&args.name, args.output_dir.file_name()) {
        (Some(name), _) => name.clone(),
        (None, Some(name)) => name.to_string_lossy().into_owned(),
        (None, None) => "trained".to_owned(),
    }
}

/// Logs the main metrics.
fn log_evaluation(evaluation: &Evaluation) {
    let metric = |value: Option<f64>| value.map_or("NA".to_owned(), |value| format!("{value:.3}"));
    let chunks = &evaluation.chunks;
    log::info!(
        "{}, by chunks: AUROC {}, balanced accuracy {}, precision {}, recall {}",
        evaluation.split,
        metric(chunks.auroc),
        metric(chunks.balanced_accuracy),
        metric(chunks.precision),
        metric(chunks.recall)
    );
}
