//! One part: a checkpoint with the rows `[start, end)` of one stage.

use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Dtype, Encoding, Header, Limits, RowRange, Tensor, Value};
use vnp_escape::escaped_path;
use vnp_validate::{Schema, TensorRule};

use super::identity::{IDENTITY_KEY, Identity, PartIdentity};
use super::rows::{RowStatus, Rows};
use super::stage::Stage;
use crate::error::Error;
use crate::part_name::file_name;

/// Metadata: whether the session that wrote the part keeps its embeddings.
const KEPT: &str = "kept";
/// Metadata: the device that computed the part.
const DEVICE: &str = "device";
/// Tensor: a [`RowStatus`] per row.
const STATUS: &str = "status";
/// Tensor: the fingerprint of what each row was computed from.
const FRAME: &str = "frame";

/// One file with the rows `[start, end)` of a stage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Part {
    /// The stage.
    pub stage: Stage,
    /// The rows.
    pub rows: RowRange,
    /// The file.
    pub path: PathBuf,
    /// Written by a session that keeps its embeddings: no later session deletes it.
    pub kept: bool,
    /// The device that computed it.
    pub device: String,
}

/// What every part of one session records beside its rows.
#[derive(Clone, Debug)]
pub struct Provenance<I = Identity> {
    /// What the rows depend on.
    pub identity: I,
    /// The device that computed them.
    pub device: String,
    /// Whether later sessions keep the embeddings too.
    pub keep_embeddings: bool,
}

/// What a part of `stage` must hold; `width` is the number of values per row.
pub(super) fn schema(stage: Stage, width: usize) -> Schema {
    Schema::new(stage.name())
        .tensor(TensorRule::new(stage.tensor()).dtype(Dtype::F32).trailing([width]))
        .tensor(TensorRule::new(STATUS).dtype(Dtype::U8).trailing([]))
        .tensor(TensorRule::new(FRAME).dtype(Dtype::I64).trailing([]))
}

/// Checks that a header, without its payloads, can be one of a part of `stage`.
pub(super) fn check_header(stage: Stage, width: usize, header: &Header) -> Result<(), String> {
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

impl Part {
    /// Saves `values` as the rows from `start` on into a stage's directory; the part is durable when
    /// this returns.
    ///
    /// # Errors
    /// [`Error::Checkpoint`]
    pub fn save<I: PartIdentity>(
        dir: &Path,
        stage: Stage,
        start: u64,
        values: &Rows,
        provenance: &Provenance<I>,
    ) -> Result<Self, Error> {
        let count = values.len();
        let rows = RowRange { start, end: start + count as u64 };
        let status = values.status.iter().map(|&status| status as u8).collect();
        let shape = vec![count, values.width];
        let checkpoint = Checkpoint::builder(stage.name())
            .rows(rows)
            .ids(values.ids.clone())
            .tensor(stage.tensor(), Tensor::from_f32(shape, values.values.clone())?)
            .tensor(STATUS, Tensor::from_u8(vec![count], status)?)
            .tensor(FRAME, Tensor::from_i64(vec![count], values.fingerprints.clone())?)
            .metadata(IDENTITY_KEY, Value::Map(provenance.identity.of_stage(stage)))
            .metadata(DEVICE, Value::String(provenance.device.clone()))
            .metadata(KEPT, Value::Bool(provenance.keep_embeddings))
            .build()?;
        let path = dir.join(file_name(rows));
        vnp_ckpt::atomic_save(&path, &checkpoint)?;
        log::debug!("saved {}", escaped_path(&path));
        let Provenance { device, keep_embeddings, .. } = provenance;
        Ok(Self { stage, rows, path, kept: *keep_embeddings, device: device.clone() })
    }

    /// Reads the part's rows; digests are verified on the way.
    ///
    /// # Errors
    /// [`Error::Checkpoint`]
    pub fn read(&self) -> Result<Rows, Error> {
        let checkpoint = vnp_ckpt::load_with_compatibility(&self.path, &Limits::default())?;
        let tensor = |name: &str| checkpoint.tensor(name).ok_or_else(|| self.lacks(name));
        let values = tensor(self.stage.tensor())?;
        let width = match values.shape() {
            [_, width] => *width,
            shape => {
                return Err(Error::Mismatch {
                    path: self.path.clone(),
                    what: format!("the shape of `{}`", self.stage.tensor()),
                    expected: "[rows, width]".to_owned(),
                    found: format!("{shape:?}"),
                });
            }
        };
        let rows = Rows {
            width,
            values: values.to_f32_vec()?,
            fingerprints: tensor(FRAME)?.as_i64()?.to_vec(),
            status: tensor(STATUS)?.as_u8()?.iter().map(|&number| RowStatus::of(number)).collect(),
            ids: checkpoint.ids().to_vec(),
        };
        // A file may hold tensors that are not tied to its ids.
        let count = rows.ids.len();
        let lengths = [
            (self.stage.tensor(), rows.values.len(), count.saturating_mul(width)),
            (STATUS, rows.status.len(), count),
            (FRAME, rows.fingerprints.len(), count),
        ];
        match lengths.into_iter().find(|(_, found, expected)| found != expected) {
            None => Ok(rows),
            Some((tensor, found, expected)) => Err(Error::Mismatch {
                path: self.path.clone(),
                what: format!("the number of values of `{tensor}`"),
                expected: expected.to_string(),
                found: found.to_string(),
            }),
        }
    }

    fn lacks(&self, tensor: &str) -> Error {
        Error::Mismatch {
            path: self.path.clone(),
            what: format!("tensor `{tensor}`"),
            expected: "one value or row of values per id".to_owned(),
            found: "absent".to_owned(),
        }
    }

    /// The part that a file's header describes; the file's name has been checked against it before.
    pub(super) fn of_header(stage: Stage, path: &Path, header: &Header) -> Self {
        let metadata = &header.metadata;
        Self {
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tensors_that_do_not_fit_the_ids_are_refused() {
        let dir = tempfile::tempdir().unwrap();
        let check = |tensor: &str, values: usize, statuses: usize, frames: usize| {
            let path = dir.path().join("x.vnp");
            let rows = RowRange { start: 0, end: 2 };
            let checkpoint = Checkpoint::builder("protein")
                .rows(rows)
                .ids(["a", "b"].map(str::to_owned).to_vec())
                .free_tensor(
                    "embedding",
                    Tensor::from_f32(vec![values, 3], vec![0.5; values * 3]).unwrap(),
                )
                .free_tensor(STATUS, Tensor::from_u8(vec![statuses], vec![0; statuses]).unwrap())
                .free_tensor(FRAME, Tensor::from_i64(vec![frames], vec![0; frames]).unwrap());
            vnp_ckpt::atomic_save(&path, &checkpoint.build().unwrap()).unwrap();
            let device = String::new();
            let read = Part { stage: Stage::Protein, rows, path, kept: true, device }.read();
            match read {
                Ok(rows) => assert_eq!((tensor, rows.len()), ("", 2)),
                Err(Error::Mismatch { what, .. }) => {
                    assert_eq!(what, format!("the number of values of `{tensor}`"));
                }
                Err(error) => panic!("{error}"),
            }
        };
        check("", 2, 2, 2);
        check("embedding", 1, 2, 2);
        check("status", 2, 1, 2);
        check("status", 2, 3, 2);
        check("frame", 2, 2, 0);
    }
}
