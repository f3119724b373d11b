//! The reports of a training: `metrics.tsv`, `metrics.json`, `history.tsv`.
//!
//! Metrics have six digits after the point, losses and rates the fewest that distinguish them from their
//! neighbours, and undefined values are `NA` (in JSON, `null`): the same metrics give the same bytes.

mod table;

use serde_json::{Value, json};
use vnp_job::{JobDirectory, publish};

use crate::error::Error;
use crate::job::{HISTORY, METRICS_JSON, METRICS_TSV};
use crate::learn::epoch::Epoch;
use crate::measure::evaluation::Evaluation;

/// Writes `metrics.tsv` and `metrics.json` of some splits: each whole or not at all.
///
/// # Errors
/// [`vnp_job::Error::Io`]
pub(crate) fn write_metrics(
    directory: &JobDirectory,
    evaluations: &[Evaluation],
) -> Result<(), Error> {
    publish::text(&directory.result(METRICS_TSV), &table::metrics(evaluations))?;
    let text = format!("{:#}\n", Evaluation::json(evaluations)?);
    publish::text(&directory.result(METRICS_JSON), &text)?;
    Ok(())
}

/// Writes `history.tsv`, one line per epoch, numbered from 1.
///
/// # Errors
/// [`vnp_job::Error::Io`]
pub(crate) fn write_history(directory: &JobDirectory, history: &[Epoch]) -> Result<(), Error> {
    publish::text(&directory.result(HISTORY), &table::history(history))?;
    Ok(())
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
