//! What is written of a training: `metrics.tsv`, `metrics.json`, `history.tsv`.
//!
//! Figures have six digits after the point, losses and rates the fewest that tell them from their
//! neighbours, and what is undefined is `NA` (in JSON, `null`): the same figures give the same bytes.

mod table;

use std::io::Write;
use std::path::Path;

use atomicwrites::{AtomicFile, OverwriteBehavior};
use serde_json::{Value, json};

use crate::fit::Epoch;
use crate::metrics::Evaluation;
use crate::{Error, TrainingDirectory};

/// Writes `metrics.tsv` and `metrics.json` of some parts: each whole or not at all.
///
/// # Errors
/// [`Error::Io`]
pub fn write_metrics(
    directory: &TrainingDirectory,
    evaluations: &[Evaluation],
) -> Result<(), Error> {
    write(&directory.path().join("metrics.tsv"), &table::metrics(evaluations))?;
    write(&directory.path().join("metrics.json"), &json(evaluations))
}

/// Writes `history.tsv`, a line an epoch, numbered from 1.
///
/// # Errors
/// [`Error::Io`]
pub fn write_history(directory: &TrainingDirectory, history: &[Epoch]) -> Result<(), Error> {
    write(&directory.path().join("history.tsv"), &table::history(history))
}

/// The evaluations as JSON, figures rounded to six digits.
#[must_use]
pub fn metrics_json(evaluations: &[Evaluation]) -> Value {
    let mut parts = serde_json::to_value(evaluations).unwrap_or_default();
    round(&mut parts);
    json!({ "interval": "95 % bootstrap over groups, 1000 resamples", "parts": parts })
}

fn json(evaluations: &[Evaluation]) -> String {
    format!("{:#}\n", metrics_json(evaluations))
}

fn round(value: &mut Value) {
    match value {
        Value::Array(values) => values.iter_mut().for_each(round),
        Value::Object(fields) => fields.values_mut().for_each(round),
        Value::Number(number) if !number.is_u64() => {
            let rounded = number.as_f64().map(|x| (x * 1e6).round() / 1e6);
            *value = rounded.map_or(Value::Null, Value::from);
        }
        _ => {}
    }
}

fn write(path: &Path, text: &str) -> Result<(), Error> {
    let file = AtomicFile::new(path, OverwriteBehavior::AllowOverwrite);
    let named = |error: std::io::Error| {
        let text = format!("cannot write `{}`: {error}", path.display());
        std::io::Error::new(error.kind(), text)
    };
    Ok(file.write(|file| file.write_all(text.as_bytes())).map_err(|error| named(error.into()))?)
}

#[cfg(test)]
mod tests;
