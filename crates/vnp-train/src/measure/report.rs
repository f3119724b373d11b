//! The reports of a training: `metrics.tsv`, `metrics.json`, `history.tsv`.
//!
//! Metrics have six digits after the point, losses and rates the fewest that distinguish them from their
//! neighbours, and undefined values are `NA` (in JSON, `null`): the same metrics give the same bytes.

mod table;

use std::io::Write;

use atomicwrites::{AtomicFile, OverwriteBehavior};
use serde_json::{Value, json};

use crate::directory::TrainingDirectory;
use crate::error::Error;
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;

impl TrainingDirectory {
    /// Writes `metrics.tsv` and `metrics.json` of some splits: each whole or not at all.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub(crate) fn write_metrics(&self, evaluations: &[Evaluation]) -> Result<(), Error> {
        self.write("metrics.tsv", &table::metrics(evaluations))?;
        self.write("metrics.json", &format!("{:#}\n", Evaluation::json(evaluations)?))
    }

    /// Replaces a file in the directory, as a whole or not at all.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.path().join(name);
        let file = AtomicFile::new(&path, OverwriteBehavior::AllowOverwrite);
        file.write(|file| file.write_all(text.as_bytes())).map_err(|error| {
            let error = std::io::Error::from(error);
            let text = format!("cannot write `{}`: {error}", path.display());
            std::io::Error::new(error.kind(), text).into()
        })
    }

    /// Writes `history.tsv`, one line per epoch, numbered from 1.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub(crate) fn write_history(&self, history: &[Epoch]) -> Result<(), Error> {
        self.write("history.tsv", &table::history(history))
    }
}

impl Evaluation {
    /// The evaluations as JSON, metrics rounded to six digits.
    ///
    /// # Errors
    /// [`Error::Io`] where a value cannot be written as JSON.
    pub fn json(evaluations: &[Self]) -> Result<Value, Error> {
        let mut parts = serde_json::to_value(evaluations).map_err(std::io::Error::other)?;
        round(&mut parts);
        Ok(json!({ "interval": "95 % bootstrap over groups, 1000 resamples", "parts": parts }))
    }
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

#[cfg(test)]
mod tests;
