use std::ops::Range;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Dtype, Encoding, Header, RowRange, Tensor, Value};
use vnp_validate::{Schema, TensorRule};

use crate::error::Error;
use crate::identity::{Identity, METADATA_KEY};
use crate::row::Row;
use crate::stage::Stage;

const KEPT: &str = "kept";
const DEVICE: &str = "device";
const STATUS: &str = "status";
const FRAME: &str = "frame";

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
    /// Ids, one per row.
    pub(crate) ids: Vec<String>,
    /// What each row was made of, see [`fingerprint`].
    pub(crate) made_of: Vec<i64>,
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
            made_of: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows.saturating_mul(width)),
            width,
            failed: Vec::with_capacity(rows),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.ids.len()
    }

    /// Adds a row. A value that is not finite makes it a failed one.
    pub(crate) fn push(&mut self, row: &impl Row, values: &[f32]) {
        self.push_as(row, values, !values.iter().all(|value| value.is_finite()));
    }

    /// Adds a row whose state is known.
    pub(crate) fn push_as(&mut self, row: &impl Row, values: &[f32], failed: bool) {
        self.ids.push(row.id().to_owned());
        self.made_of.push(fingerprint(row));
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
        self.made_of.append(&mut other.made_of);
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

    /// Whether the row at `index` was made of this one; otherwise what it was made of.
    pub(crate) fn is_of(&self, index: usize, row: &impl Row) -> Result<(), String> {
        match (self.ids.get(index), self.made_of.get(index)) {
            (Some(id), Some(_)) if id != row.id() => Err(format!("\"{id}\"")),
            (Some(_), Some(made_of)) if *made_of == fingerprint(row) => Ok(()),
            (Some(id), Some(_)) => Err(format!("\"{id}\" of another sequence")),
            _ => Err("missing".to_owned()),
        }
    }

    pub(crate) fn is_failed(&self, row: usize) -> bool {
        self.failed.get(row).copied().unwrap_or(true)
    }
}

/// A hash of a row's id and nucleotides, stored with each row: ids may repeat, and a file may be
/// replaced by one with the same ids.
pub(crate) fn fingerprint(row: &impl Row) -> i64 {
    let text = [row.id().as_bytes(), b"\0", row.nucleotide().as_bytes()].concat();
    twox_hash::XxHash3_64::oneshot(&text).cast_signed()
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
        .tensor(TensorRule::new(FRAME).dtype(Dtype::I64).trailing([]))
}

/// Whether a header, without its payloads, can be one of a part of `stage`.
pub(crate) fn fits(stage: Stage, width: usize, header: &Header) -> Result<(), String> {
    let rows = usize::try_from(header.rows.len()).unwrap_or(usize::MAX);
    for rule in schema(stage, width).tensors {
        let Some(section) = header.sections.iter().find(|section| section.name == rule.name) else {
            return Err(format!("has no tensor `{}`", rule.name));
        };
        let expected: Vec<usize> =
            std::iter::once(rows).chain(rule.trailing.unwrap_or_default()).collect();
        match &section.encoding {
            Encoding::Tensor { dtype, shape, .. }
                if Some(*dtype) == rule.dtype && *shape == expected => {}
            other => {
                let name = rule.name;
                return Err(format!("tensor `{name}` is {other:?}, expected shape {expected:?}"));
            }
        }
    }
    Ok(())
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
        .tensor(FRAME, Tensor::from_i64(vec![count], values.made_of.clone())?)
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
    let missing = |tensor: &str| {
        let kind = vnp_ckpt::ErrorKind::Inconsistent {
            subject: format!("tensor `{tensor}`"),
            expected: "one value or row of values per id".to_owned(),
            found: "no such tensor".to_owned(),
        };
        kind.in_file(&part.path)
    };
    let values =
        checkpoint.tensor(part.stage.tensor()).ok_or_else(|| missing(part.stage.tensor()))?;
    let status = checkpoint.tensor(STATUS).ok_or_else(|| missing(STATUS))?;
    let made_of = checkpoint.tensor(FRAME).ok_or_else(|| missing(FRAME))?;
    Ok(Rows {
        width: values.shape().get(1).copied().unwrap_or_default(),
        values: values.to_f32_vec()?,
        made_of: made_of.as_i64()?.to_vec(),
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
    use vnp_seq::FrameRow;

    fn frame(id: &str, nucleotide: &str) -> FrameRow {
        FrameRow {
            id: id.into(),
            record: 0,
            chunk: vnp_seq::ChunkPosition { index: 0, start_bp: 0, end_bp: 3 },
            frame: vnp_seq::Frame::F1,
            nucleotide: nucleotide.into(),
            protein: "A".into(),
        }
    }

    #[test]
    fn a_row_knows_what_it_was_made_of() {
        let mut rows = Rows::with_capacity(1, 1);
        rows.push(&frame("a", "GCC"), &[1.0]);
        assert_eq!(rows.is_of(0, &frame("a", "GCC")), Ok(()));
        assert_eq!(rows.is_of(0, &frame("b", "GCC")), Err("\"a\"".into()));
        assert_eq!(rows.is_of(0, &frame("a", "GCA")), Err("\"a\" of another sequence".into()));
        assert_eq!(rows.is_of(1, &frame("a", "GCC")), Err("missing".into()));
    }

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
        rows.push(&frame("a", "GCC"), &[1.0, 2.0]);
        rows.push(&frame("b", "GCC"), &[f32::NAN, 2.0]);
        rows.push(&frame("c", "GCC"), &[3.0, f32::INFINITY]);
        assert_eq!(rows.failed, [false, true, true]);
        assert_eq!(rows.values, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.row(0), [1.0, 2.0]);
        assert!(rows.is_failed(7));
    }
}
