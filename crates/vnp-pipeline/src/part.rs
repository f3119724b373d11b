use std::ops::Range;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Dtype, RowRange, Tensor, Value};
use vnp_validate::{Schema, TensorRule};

use crate::error::Error;
use crate::identity::{Identity, METADATA_KEY};
use crate::stage::Stage;

const KEPT: &str = "kept";
const DEVICE: &str = "device";
const STATUS: &str = "status";

/// One file with the rows `[start, end)` of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) stage: Stage,
    pub(crate) rows: RowRange,
    pub(crate) path: PathBuf,
    /// Written by a session that keeps its embeddings: no later session deletes it.
    pub(crate) kept: bool,
    /// The device that computed it.
    pub(crate) device: String,
}

/// What every part of one session records beside its rows.
#[derive(Clone, Debug)]
pub(crate) struct Provenance {
    pub(crate) identity: Identity,
    pub(crate) device: String,
    pub(crate) keep_embeddings: bool,
}

/// The values of consecutive rows of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Rows {
    /// Frame ids, one per row.
    pub(crate) ids: Vec<String>,
    /// `[rows, width]`, row-major; zeros in a failed row, so that a part is finite throughout.
    pub(crate) values: Vec<f32>,
    /// Values per row.
    pub(crate) width: usize,
    /// Whether the row could not be computed.
    pub(crate) failed: Vec<bool>,
}

impl Rows {
    pub(crate) fn with_capacity(rows: usize, width: usize) -> Self {
        Self {
            ids: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows.saturating_mul(width)),
            width,
            failed: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a row. A value that is not finite makes it a failed one.
    pub(crate) fn push(&mut self, id: &str, values: &[f32]) {
        self.push_as(id, values, !values.iter().all(|value| value.is_finite()));
    }

    /// Adds a row whose state is known.
    pub(crate) fn push_as(&mut self, id: &str, values: &[f32], failed: bool) {
        self.ids.push(id.to_owned());
        self.failed.push(failed);
        if failed {
            self.values.resize(self.values.len() + self.width, 0.0);
        } else {
            self.values.extend_from_slice(values);
        }
    }

    /// Adds the rows of `other`, which has the same width.
    pub(crate) fn append(&mut self, mut other: Self) {
        self.ids.append(&mut other.ids);
        self.values.append(&mut other.values);
        self.failed.append(&mut other.failed);
    }

    /// The values of row `row`, or nothing past the end.
    pub(crate) fn row(&self, row: usize) -> &[f32] {
        self.slice(&(row..row.saturating_add(1)))
    }

    /// The values of consecutive rows, or nothing past the end.
    pub(crate) fn slice(&self, rows: &Range<usize>) -> &[f32] {
        let value = |row: usize| row.saturating_mul(self.width);
        self.values.get(value(rows.start)..value(rows.end)).unwrap_or_default()
    }

    /// The ids of consecutive rows.
    pub(crate) fn ids_of(&self, rows: &Range<usize>) -> &[String] {
        self.ids.get(rows.clone()).unwrap_or_default()
    }

    pub(crate) fn is_failed(&self, row: usize) -> bool {
        self.failed.get(row).copied().unwrap_or(true)
    }
}

/// `rows-000000000000-000000008192.vnp`: names sort as rows do.
pub(crate) fn file_name(rows: RowRange) -> String {
    format!("rows-{:012}-{:012}.vnp", rows.start, rows.end)
}

/// The rows that a part's name claims, if it is the name of a part.
pub(crate) fn parse_file_name(name: &str) -> Option<RowRange> {
    let (start, end) = name.strip_prefix("rows-")?.strip_suffix(".vnp")?.split_once('-')?;
    let rows = RowRange { start: start.parse().ok()?, end: end.parse().ok()? };
    // Only the spelling that we write: two names for one range would be two parts for it.
    (rows.start < rows.end && file_name(rows) == name).then_some(rows)
}

/// What a part of `stage` must hold; `width` is the number of values per row.
pub(crate) fn schema(stage: Stage, width: usize) -> Schema {
    Schema::new(stage.name())
        .tensor(TensorRule::new(stage.tensor()).dtype(Dtype::F32).trailing([width]))
        .tensor(TensorRule::new(STATUS).dtype(Dtype::U8).trailing([]))
}

/// Saves `values` as the rows from `start` on; the part is durable when this returns.
pub(crate) fn save(
    dir: &Path,
    stage: Stage,
    start: u64,
    values: &Rows,
    provenance: &Provenance,
) -> Result<Part, Error> {
    let count = values.len();
    let rows = RowRange { start, end: start + count as u64 };
    let status = values.failed.iter().map(|&failed| u8::from(failed)).collect();
    let checkpoint = Checkpoint::builder(stage.name())
        .rows(rows)
        .ids(values.ids.clone())
        .tensor(stage.tensor(), Tensor::from_f32(vec![count, values.width], values.values.clone())?)
        .tensor(STATUS, Tensor::from_u8(vec![count], status)?)
        .metadata(METADATA_KEY, Value::Map(provenance.identity.of_stage(stage)))
        .metadata(DEVICE, Value::String(provenance.device.clone()))
        .metadata(KEPT, Value::Bool(provenance.keep_embeddings))
        .build()?;
    let path = dir.join(file_name(rows));
    vnp_ckpt::atomic_save(&path, &checkpoint)?;
    log::debug!("saved {}", path.display());
    let Provenance { device, keep_embeddings, .. } = provenance;
    Ok(Part { stage, rows, path, kept: *keep_embeddings, device: device.clone() })
}

/// Reads a part's rows; digests are verified on the way.
pub(crate) fn load(part: &Part) -> Result<Rows, Error> {
    let checkpoint = vnp_ckpt::load_with_compatibility(&part.path, &vnp_ckpt::Limits::default())?;
    let missing = |tensor: &str| vnp_ckpt::Error::Inconsistent {
        path: Some(part.path.clone()),
        subject: format!("tensor `{tensor}`"),
        expected: "one value or row of values per id".to_owned(),
        found: "no such tensor".to_owned(),
    };
    let values =
        checkpoint.tensor(part.stage.tensor()).ok_or_else(|| missing(part.stage.tensor()))?;
    let status = checkpoint.tensor(STATUS).ok_or_else(|| missing(STATUS))?;
    Ok(Rows {
        width: values.shape().get(1).copied().unwrap_or_default(),
        values: values.to_f32_vec()?,
        failed: status.as_u8()?.iter().map(|&status| status != 0).collect(),
        ids: checkpoint.ids().to_vec(),
    })
}

/// The part that a file's header describes; the file's name has been checked against it before.
pub(crate) fn describe(stage: Stage, path: &Path, header: &vnp_ckpt::Header) -> Part {
    let metadata = &header.metadata;
    Part {
        stage,
        rows: header.rows,
        path: path.to_owned(),
        kept: matches!(metadata.get(KEPT), Some(Value::Bool(true))),
        device: match metadata.get(DEVICE) {
            Some(Value::String(device)) => device.clone(),
            _ => "unknown".to_owned(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: Option<(u64, u64)>) {
        assert_eq!(parse_file_name(name).map(|rows| (rows.start, rows.end)), expected, "{name}");
    }

    #[test]
    fn only_our_own_spelling_is_a_part() {
        check("rows-000000000000-000000008192.vnp", Some((0, 8192)));
        check("rows-1000000000000-1000000000001.vnp", Some((1_000_000_000_000, 1_000_000_000_001)));
        check("rows-0-8192.vnp", None);
        check("rows-000000008192-000000000000.vnp", None);
        check("rows-000000000005-000000000005.vnp", None);
        check("rows-+00000000000-000000008192.vnp", None);
        check("rows-000000000000-000000008192.vnp.bad", None);
        check("rows-000000000000-000000008192.pt", None);
        check("rows-000000000000-99999999999999999999999.vnp", None);
        check("", None);
    }

    #[test]
    fn a_row_that_is_not_finite_fails_and_leaves_zeros() {
        let mut rows = Rows::with_capacity(2, 2);
        rows.push("a", &[1.0, 2.0]);
        rows.push("b", &[f32::NAN, 2.0]);
        rows.push("c", &[3.0, f32::INFINITY]);
        assert_eq!(rows.failed, [false, true, true]);
        assert_eq!(rows.values, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.row(0), [1.0, 2.0]);
        assert!(rows.is_failed(7));
    }
}
