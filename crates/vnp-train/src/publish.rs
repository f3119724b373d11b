//! The results of a training: metrics, history, the bundle and, last, the record of it all.

pub(crate) mod head;
pub(crate) mod joint;

use serde_json::{Value, json};
use vnp_infer::{Bundle, BundleWriter};

use crate::data::input::Input;
use crate::directory::TrainingDirectory;
use crate::error::Error;
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;

/// The directory of the bundle.
const BUNDLE: &str = "bundle";
/// The file of the record.
const RECORD: &str = "train.json";

/// The program that trained, with its version.
const PRODUCER: &str = concat!("vnp ", env!("CARGO_PKG_VERSION"));

/// A finished training, ready to be published.
pub trait Training {
    /// The epochs in order.
    fn history(&self) -> &[Epoch];

    /// The epoch that was kept, from 0.
    fn epoch(&self) -> usize;

    /// Evaluates the splits that were not learned from. Validation is slightly optimistic: it chose
    /// the epoch.
    ///
    /// # Errors
    /// Those of the networks.
    fn evaluate(&self) -> Result<Vec<Evaluation>, Error>;

    /// Data, settings and course of the training, without times and places.
    fn summary(&self) -> Value;

    /// The bundle to write, with a provenance of `summary` and `encoders`.
    ///
    /// # Errors
    /// [`Error::Model`] for tensors that do not make a bundle.
    fn bundle(&self) -> Result<BundleWriter, Error>;

    /// The bundle that the encoders come from; `None` where they were trained from scratch.
    fn origin(&self) -> Option<&Bundle>;
}

/// What the caller states about a training.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The name of the bundle.
    pub name: &'a str,
    /// The model as the user named it.
    pub model: &'a str,
    /// The inputs.
    pub inputs: &'a [Input],
}

/// What was published.
#[derive(Debug)]
pub struct Published {
    /// The bundle as it was written.
    pub bundle: Bundle,
    /// The metrics of the splits that were not learned from.
    pub evaluations: Vec<Evaluation>,
}

/// Evaluates a training and writes metrics, history, bundle and, last, the record of it all. The same
/// training writes the same files again.
///
/// # Errors
/// Those of evaluating and writing.
pub fn publish(
    training: &dyn Training,
    request: &Request<'_>,
    directory: &TrainingDirectory,
) -> Result<Published, Error> {
    let evaluations = training.evaluate()?;
    directory.write_history(training.history())?;
    directory.write_metrics(&evaluations)?;
    let measured = Evaluation::json(&evaluations)?;
    let summary = training.summary();
    let mut writer = training.bundle()?;
    request.name.clone_into(&mut writer.name);
    let encoders = training.origin().map_or(
        json!("from scratch"),
        |bundle| json!({ "bundle": bundle.name(), "provenance": bundle.provenance() }),
    );
    writer.provenance = json!({
        "summary": writer.provenance,
        "encoders": encoders,
        "training": summary,
        "test": measured,
    });
    let path = directory.path().join(BUNDLE);
    // An existing bundle belongs to this very training, which this session may continue.
    if path.exists() {
        fs_err::remove_dir_all(&path)?;
    }
    let bundle = writer.write(&path)?;
    let record = json!({
        "bundle": {
            "name": bundle.name(),
            "expected_length": bundle.expected_length(),
            "digests": bundle.digests(),
        },
        "model": training.origin().map(|_| request.model),
        "inputs": inputs(request.inputs),
        "training": summary,
        "measured": measured,
    });
    directory.write(RECORD, &format!("{record:#}\n"))?;
    Ok(Published { bundle, evaluations })
}

/// The paths of the inputs by label.
fn inputs(inputs: &[Input]) -> Value {
    let labelled = |label| -> Vec<String> {
        let inputs = inputs.iter().filter(|input| input.is_virus == label);
        inputs.map(|input| input.path.display().to_string()).collect()
    };
    json!({
        "virus": labelled(Some(true)),
        "others": labelled(Some(false)),
        "labelled": labelled(None),
    })
}
