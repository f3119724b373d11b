//! Training files of VirNucPro: `{ids, data, labels}`, as PyTorch saves them.

use std::path::Path;

use vnp_ckpt::{Checkpoint, Limits, Value};

use crate::data::class::Class;
use crate::data::embedded::rows::RowTable;
use crate::data::embedded::source::mismatch;
use crate::error::Error;

/// Reads the rows of a merged file; `label` is that given for the whole file, if any.
pub(super) fn read_merged(
    path: &Path,
    label: Option<bool>,
    (nucleotide_size, protein_size): (usize, usize),
) -> Result<RowTable, Error> {
    let checkpoint = vnp_ckpt::load_with_compatibility(path, &Limits::default())?;
    let wrong = |what: &str, expected: &str, found: &str| mismatch(path, what, expected, found);
    let data = checkpoint
        .tensor("data")
        .ok_or_else(|| wrong("the content", "merged features (ids, data)", checkpoint.kind()))?;
    let rows = checkpoint.ids().len();
    let width = nucleotide_size + protein_size;
    if data.shape() != [rows, width] {
        let expected = format!(
            "[{rows}, {width}] ({nucleotide_size} nucleotide and {protein_size} protein values)"
        );
        let found = format!("{:?}", data.shape());
        return Err(wrong("the shape of the data", &expected, &found).into());
    }
    let labels = labels(&checkpoint);
    let is_virus = match (labels.as_slice(), label) {
        ([], None) => {
            let found = "absent: give the file to --virus or --others";
            return Err(wrong("the label", "0 (others) or 1 (virus)", found).into());
        }
        ([], Some(label)) => vec![label; rows],
        ([one], _) => vec![*one; rows],
        (all, _) if all.len() == rows => all.to_vec(),
        (all, _) => {
            let (expected, found) = (format!("1 or {rows}"), all.len().to_string());
            return Err(wrong("the number of labels", &expected, &found).into());
        }
    };
    if let Some(label) = label
        && is_virus.iter().any(|is_virus| *is_virus != label)
    {
        let (expected, found) = (Class::of(label).name(), Class::of(!label).name());
        return Err(wrong("the label in the file", expected, found).into());
    }
    // A row with a value that is not finite counts as failed.
    let features = data.to_f32_vec()?;
    let mut table = RowTable {
        nucleotide_size,
        protein_size,
        ids: checkpoint.ids().to_vec(),
        is_virus,
        features: Vec::new(),
        rows_failed: 0,
    };
    let finite: Vec<bool> = features
        .chunks_exact(width.max(1))
        .map(|row| row.iter().all(|value| value.is_finite()))
        .collect();
    table.features = features;
    table.retain(|row| finite.get(row) == Some(&true));
    table.rows_failed = rows - table.ids.len();
    Ok(table)
}

/// The labels that a file states: one for all of its rows, or one per row.
fn labels(checkpoint: &Checkpoint) -> Vec<bool> {
    if let Some(tensor) = checkpoint.tensor("labels") {
        let numbers = tensor.as_i64().map(<[i64]>::to_vec);
        return numbers.unwrap_or_default().iter().map(|label| *label != 0).collect();
    }
    let label = |value: &Value| match value {
        Value::Bool(label) => Some(*label),
        Value::Int(label) => Some(*label != 0),
        Value::Float(label) => Some(*label != 0.0),
        _ => None,
    };
    match checkpoint.metadata().get("labels") {
        Some(Value::List(list)) => list.iter().filter_map(label).collect(),
        Some(value) => label(value).into_iter().collect(),
        None => Vec::new(),
    }
}
