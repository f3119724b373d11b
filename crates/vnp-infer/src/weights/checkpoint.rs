//! Tensors of a PyTorch file, read one at a time.

use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use safetensors::Dtype;
use vnp_ckpt::{Checkpoint, CheckpointFile, Encoding, Limits, Value};

use super::{TensorInfo, TensorSource};
use crate::Error;

/// An open PyTorch file. What it says about its tensors is held; a tensor is read, and its CRC
/// compared, when it is asked for.
pub(crate) struct CheckpointTensors {
    label: String,
    file: Mutex<CheckpointFile>,
    metadata: BTreeMap<String, Value>,
    /// By our name: what is known, and the file's name.
    tensors: BTreeMap<String, (TensorInfo, String)>,
}

impl CheckpointTensors {
    /// Opens a file; `rename` gives its tensors other names.
    ///
    /// # Errors
    /// [`Error::Checkpoint`]; [`Error::SurplusTensors`] where two tensors get one name.
    pub(crate) fn open(path: &Path, rename: impl Fn(&str) -> String) -> Result<Self, Error> {
        let label = path.display().to_string();
        let file = Checkpoint::open(path, &Limits::default())?;
        let mut tensors = BTreeMap::new();
        for section in &file.header().sections {
            let Encoding::Tensor { dtype, shape, .. } = &section.encoding else { continue };
            let Some(dtype) = safetensors_dtype(*dtype) else { continue };
            let info = TensorInfo { dtype, shape: shape.clone() };
            let before = tensors.insert(rename(&section.name), (info, section.name.clone()));
            if let Some((_, twin)) = before {
                let names = vec![twin, section.name.clone()];
                return Err(Error::SurplusTensors { file: label, names });
            }
        }
        let metadata = file.header().metadata.clone();
        Ok(Self { label, file: Mutex::new(file), metadata, tensors })
    }

    /// What the file holds beside tensors.
    pub(crate) fn metadata(&self) -> &BTreeMap<String, Value> {
        &self.metadata
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
        self.tensors.get(name).map(|(info, _)| info)
    }

    fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        let Some((_, theirs)) = self.tensors.get(name) else { return Ok(Vec::new()) };
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        let tensor = file.tensor(theirs)?;
        Ok(tensor.map(|tensor| tensor.bytes().to_vec()).unwrap_or_default())
    }
}

impl fmt::Debug for CheckpointTensors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CheckpointTensors").field("label", &self.label).finish_non_exhaustive()
    }
}

/// The same element type in the words of safetensors; `None` for one that came later.
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
