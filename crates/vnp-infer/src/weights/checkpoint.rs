//! Tensors of a PyTorch file, read one at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use vnp_ckpt::{Checkpoint, CheckpointFile, Encoding, ErrorKind, Limits, Value};
use vnp_escape::escaped_path;

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;
use crate::error::weights::WeightsError;

/// An open PyTorch file. Names and shapes are held; a tensor is read, and its CRC compared, when it
/// is asked for.
pub(crate) struct CheckpointTensors {
    label: String,
    file: Mutex<CheckpointFile>,
    metadata: BTreeMap<String, Value>,
    kind: String,
    tensors: BTreeMap<String, TensorInfo>,
}

impl CheckpointTensors {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let label = escaped_path(path).to_string();
        let file = Checkpoint::open_weights(path, &Limits::default()).map_err(damaged)?;
        let tensors = file.header().sections.iter().filter_map(|section| {
            let Encoding::Tensor { dtype, shape, .. } = &section.encoding else { return None };
            let info = TensorInfo { dtype: safetensors_dtype(*dtype)?, shape: shape.clone() };
            Some((section.name.clone(), info))
        });
        let (tensors, metadata) = (tensors.collect(), file.header().metadata.clone());
        let kind = file.header().kind.clone();
        Ok(Self { label, file: Mutex::new(file), metadata, kind, tensors })
    }
}

impl TensorSource for CheckpointTensors {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name)
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        file.tensor(name)
            .map_err(damaged)?
            .map(TensorBytes::Checkpoint)
            .ok_or_else(|| self.missing(name))
    }

    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        Some(&self.metadata)
    }

    fn other_kind(&self) -> Option<&str> {
        (!["weights", "values"].contains(&self.kind.as_str())).then_some(&self.kind)
    }
}

impl fmt::Debug for CheckpointTensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointTensors").field("label", &self.label).finish_non_exhaustive()
    }
}

/// The error of a damaged file. A checkpoint of a run is computed again, weights are not.
fn damaged(error: vnp_ckpt::Error) -> Error {
    let found = match error.kind() {
        ErrorKind::Truncated { expected_bytes, found_bytes } => {
            format!("it ends early: expected {expected_bytes} bytes, found {found_bytes}")
        }
        ErrorKind::Surplus { expected_bytes, found_bytes } => {
            format!("bytes follow its end: expected {expected_bytes} bytes, found {found_bytes}")
        }
        ErrorKind::BadArchive { record, expected, found } => {
            format!("archive record `{record}`: expected {expected}, found {found}")
        }
        ErrorKind::CrcMismatch { record } => format!("record `{record}` does not match its CRC"),
        ErrorKind::DigestMismatch { section } => {
            format!("section `{section}` does not match its digest")
        }
        _ => return error.into(),
    };
    let remedy = match error.kind() {
        ErrorKind::BadArchive { .. } => {
            "download it again; if it is an archive of several files (a repository, .npz), unpack it and \
             give the file of weights"
        }
        _ => "download or copy it again",
    };
    let file = error.path().map(|path| escaped_path(path).to_string()).unwrap_or_default();
    WeightsError::Damaged { file, found, remedy }.into()
}

/// The element type of safetensors; `None` for one that was added to checkpoints later.
fn safetensors_dtype(dtype: vnp_ckpt::Dtype) -> Option<Dtype> {
    use vnp_ckpt::Dtype as Ours;
    Some(match dtype {
        Ours::F32 => Dtype::F32,
        Ours::F16 => Dtype::F16,
        Ours::Bf16 => Dtype::BF16,
        Ours::F64 => Dtype::F64,
        Ours::I64 => Dtype::I64,
        Ours::I32 => Dtype::I32,
        Ours::I16 => Dtype::I16,
        Ours::I8 => Dtype::I8,
        Ours::U8 => Dtype::U8,
        Ours::Bool => Dtype::BOOL,
        _ => return None,
    })
}
