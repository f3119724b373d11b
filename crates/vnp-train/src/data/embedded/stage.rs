//! The kept parts of one stage of a run.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use vnp_ckpt::{Encoding, Limits, RowRange, Status, Value};

use crate::error::Error;

/// The names of the tensors with the values and the status of rows.
const EMBEDDING: &str = "embedding";
const STATUS: &str = "status";

/// Parts that cover `0..rows`; their values are not read yet.
#[derive(Debug)]
pub(super) struct Stage {
    kind: &'static str,
    parts: Vec<(RowRange, PathBuf)>,
    pub(super) rows: usize,
    /// The number of values per row; 0 in a stage without rows.
    pub(super) width: usize,
    /// The identity that its parts state.
    pub(super) identity: BTreeMap<String, String>,
}

/// The rows of a stage, without their values.
#[derive(Debug, Default)]
pub(super) struct StageRows {
    pub(super) ids: Vec<String>,
    pub(super) failed: Vec<bool>,
}

impl Stage {
    /// Finds the parts of `kind` that a run in `directory` kept.
    pub(super) fn open(directory: &Path, kind: &'static str) -> Result<Self, Error> {
        let folder = directory.join("checkpoints").join(kind);
        let mut stage =
            Self { kind, parts: Vec::new(), rows: 0, width: 0, identity: BTreeMap::new() };
        let missing = |reason: String| Error::NoEmbeddings { path: directory.to_owned(), reason };
        if !folder.is_dir() {
            return Err(missing(format!("it has no checkpoints/{kind}")));
        }
        let mut paths = Vec::new();
        for entry in fs_err::read_dir(&folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|extension| extension == "vnp") {
                paths.push(path);
            }
        }
        // The order of names is the order of rows.
        paths.sort();
        let mut end = 0;
        for path in paths {
            let header = vnp_ckpt::read_header(&path, &Limits::default())?;
            if header.rows.start > end {
                return Err(missing(format!(
                    "the {kind} embeddings of rows {end}..{} are missing",
                    header.rows.start
                )));
            }
            stage.take(&path, &header)?;
            end = end.max(header.rows.end);
            stage.parts.push((header.rows, path));
        }
        stage.rows = usize::try_from(end).unwrap_or(usize::MAX);
        Ok(stage)
    }

    /// Compares a part with the earlier ones.
    fn take(&mut self, path: &Path, header: &vnp_ckpt::Header) -> Result<(), Error> {
        let wrong = |what: &str, expected: String, found: String| Error::Embeddings {
            path: path.to_owned(),
            what: what.to_owned(),
            expected,
            found,
        };
        if header.kind != self.kind || header.status != Status::Complete {
            let found = format!("{} {}", header.status, header.kind);
            return Err(wrong("the part", format!("complete {}", self.kind), found));
        }
        let section = header.sections.iter().find(|section| section.name == EMBEDDING);
        let width = match section.map(|section| &section.encoding) {
            Some(Encoding::Tensor { shape, .. }) => match shape.as_slice() {
                [_, width] if *width > 0 => *width,
                other => {
                    return Err(wrong("the shape", "[rows, size]".into(), format!("{other:?}")));
                }
            },
            _ => return Err(wrong("the tensor", EMBEDDING.to_owned(), "absent".to_owned())),
        };
        let identity = match header.metadata.get("identity") {
            Some(Value::Map(map)) => {
                let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
                map.iter().map(|(field, value)| (field.clone(), text(value))).collect()
            }
            _ => BTreeMap::new(),
        };
        if self.parts.is_empty() {
            self.width = width;
            self.identity = identity;
            return Ok(());
        }
        if width != self.width {
            return Err(wrong("the size", self.width.to_string(), width.to_string()));
        }
        if identity != self.identity {
            let (expected, found) = (&self.identity, &identity);
            return Err(wrong("the identity", format!("{expected:?}"), format!("{found:?}")));
        }
        Ok(())
    }

    /// Reads and verifies every part, and copies the values of each row to `offset` of a row of `stride`
    /// values.
    pub(super) fn read(
        &self,
        features: &mut [f32],
        stride: usize,
        offset: usize,
    ) -> Result<StageRows, Error> {
        let mut rows = StageRows::default();
        for (range, path) in &self.parts {
            let checkpoint = vnp_ckpt::load_with_compatibility(path, &Limits::default())?;
            let tensor = |name: &str| {
                checkpoint.tensor(name).ok_or_else(|| Error::Embeddings {
                    path: path.clone(),
                    what: format!("tensor {name}"),
                    expected: "there".to_owned(),
                    found: "absent".to_owned(),
                })
            };
            let values = tensor(EMBEDDING)?.to_f32_vec()?;
            let status = tensor(STATUS)?.as_u8()?;
            // Parts may overlap; rows that were read are skipped.
            let known = (rows.ids.len() as u64).saturating_sub(range.start);
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            let read = checkpoint.ids().iter().zip(status).zip(values.chunks_exact(self.width));
            for ((id, status), values) in read.skip(known) {
                let start = rows.ids.len() * stride + offset;
                if let Some(place) = features.get_mut(start..start + self.width) {
                    place.copy_from_slice(values);
                }
                rows.ids.push(id.clone());
                rows.failed.push(*status != 0);
            }
        }
        Ok(rows)
    }
}
