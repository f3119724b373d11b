//! Tensors of a PyTorch file, read one at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use vnp_ckpt::{Checkpoint, CheckpointFile, Encoding, Limits, Value};

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// An open PyTorch file. Names and shapes are held; a tensor is read, and its CRC compared, when it
/// is asked for.
pub(crate) struct CheckpointTensors {
    label: String,
    file: Mutex<CheckpointFile>,
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, TensorInfo>,
}

impl CheckpointTensors {
    /// Opens a file.
    ///
    /// # Errors
    /// [`Error::Checkpoint`].
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let label = path.display().to_string();
        let file = Checkpoint::open_weights(path, &Limits::default())?;
        let tensors = file.header().sections.iter().filter_map(|section| {
            let Encoding::Tensor { dtype, shape, .. } = &section.encoding else { return None };
            let info = TensorInfo { dtype: safetensors_dtype(*dtype)?, shape: shape.clone() };
            Some((section.name.clone(), info))
        });
        let (tensors, metadata) = (tensors.collect(), file.header().metadata.clone());
        Ok(Self { label, file: Mutex::new(file), metadata, tensors })
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
        file.tensor(name)?.map(TensorBytes::Checkpoint).ok_or_else(|| self.missing(name))
    }

    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        Some(&self.metadata)
    }
}

impl fmt::Debug for CheckpointTensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointTensors").field("label", &self.label).finish_non_exhaustive()
    }
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
