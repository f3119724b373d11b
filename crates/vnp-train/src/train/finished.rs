//! The results of a training: metrics, history, the bundle and, last, the record of it all.

use std::path::PathBuf;

use serde_json::{Value, json};
use vnp_infer::{Bundle, BundleWriter};
use vnp_job::publish;

use crate::data::input::Input;
use crate::error::Error;
use crate::job::{BUNDLE, BUNDLES, RECORD, UNFINISHED_BUNDLE};
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;
use crate::measure::report::{write_history, write_metrics};
use crate::train::context::Context;

/// The program that trained, with its version.
pub(super) const PRODUCER: &str = concat!("vnp ", env!("CARGO_PKG_VERSION"));

/// A finished training, ready to be published.
pub(super) struct Finished<'a> {
    /// The epochs in order.
    pub(super) history: Vec<Epoch>,
    /// The epoch that was kept, from 0.
    pub(super) epoch: usize,
    /// The metrics of the splits that were not learned from. Those of validation are slightly
    /// optimistic: it chose the epoch.
    pub(super) evaluations: Vec<Evaluation>,
    /// Data, settings and course of the training, without times and paths.
    pub(super) summary: Value,
    /// The bundle, with a sentence on what it was made of as its provenance.
    pub(super) bundle: BundleWriter,
    /// The bundle that the encoders come from; `None` where they were trained from scratch.
    pub(super) origin: Option<&'a Bundle>,
    /// The files and directories that were given.
    pub(super) inputs: &'a [Input],
}

/// What a training has published.
#[derive(Debug)]
pub struct Published {
    /// The bundle as it was written.
    pub bundle: Bundle,
    /// Its directory.
    pub path: PathBuf,
    /// The metrics of the splits that were not learned from.
    pub evaluations: Vec<Evaluation>,
    /// The number of epochs.
    pub epochs: usize,
    /// The epoch that was kept, from 0.
    pub epoch: usize,
}

/// Writes metrics, history, bundle and, last, the record of it all. The same training writes the same
/// files again.
pub(super) fn publish(finished: Finished<'_>, context: &Context<'_>) -> Result<Published, Error> {
    let Finished { history, epoch, evaluations, summary, bundle: mut writer, origin, inputs } =
        finished;
    let (directory, options) = (context.directory, context.options);
    directory.check_lock()?;
    write_history(directory, &history)?;
    write_metrics(directory, &evaluations)?;
    let measured = Evaluation::json(&evaluations)?;
    writer.name.clone_from(&options.name);
    let encoders = origin.map_or(
        json!("from scratch"),
        |bundle| json!({ "bundle": bundle.name(), "provenance": bundle.provenance() }),
    );
    writer.provenance = json!({
        "summary": writer.provenance,
        "encoders": encoders,
        "training": summary,
        "test": measured,
    });
    let path = directory.result(BUNDLE);
    // An existing bundle belongs to this very training. It stays until the new one is complete.
    publish::directory(
        &path,
        UNFINISHED_BUNDLE,
        |root| writer.write(root).map(drop).map_err(Error::from),
        |old| Ok(BUNDLES.remove(old)?),
    )?;
    let bundle = Bundle::open(&path)?;
    let record = json!({
        "bundle": {
            "name": bundle.name(),
            "expected_length": bundle.expected_length(),
            "digests": bundle.digests(),
        },
        "model": origin.map(|_| &options.model),
        "inputs": paths(inputs),
        "training": summary,
        "measured": measured,
    });
    publish::text(&directory.result(RECORD), &format!("{record:#}\n"))?;
    Ok(Published { bundle, path, evaluations, epochs: history.len(), epoch })
}

/// The paths of the inputs by label.
fn paths(inputs: &[Input]) -> Value {
    let labelled = |label| -> Vec<String> {
        let inputs = inputs.iter().filter(|input| input.is_virus == label);
        inputs.map(|input| input.path.to_string_lossy().into_owned()).collect()
    };
    json!({
        "virus": labelled(Some(true)),
        "others": labelled(Some(false)),
        "labelled": labelled(None),
    })
}
