//! Tensors spread over several files, with an index from tensors to files.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// `model.safetensors.index.json` and the like: from tensors to files.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files of one index as one source.
#[derive(Debug)]
pub(crate) struct ShardedTensors {
    label: String,
    /// From a tensor to its shard.
    by_name: BTreeMap<String, Arc<dyn TensorSource>>,
}

impl ShardedTensors {
    /// Opens every file that the index names, with `open_shard`, and checks that each holds the
    /// tensors that the index says and no other.
    pub(crate) fn open(
        index: &Path,
        open_shard: impl Fn(&Path) -> Result<Arc<dyn TensorSource>, Error>,
    ) -> Result<Self, Error> {
        let label = index.display().to_string();
        let Index { weight_map } = serde_json::from_slice(&fs_err::read(index)?)
            .map_err(|source| Error::Json { file: label.clone(), source })?;
        let mut by_file = BTreeMap::<String, Vec<String>>::new();
        for (tensor, file) in weight_map {
            by_file.entry(file).or_default().push(tensor);
        }
        let mut by_name = BTreeMap::new();
        for (file, tensors) in by_file {
            // A name, not a path: an index may not name files in other directories.
            if Path::new(&file).file_name() != Some(file.as_ref()) {
                return Err(Error::ShardName { index: label, file });
            }
            let shard = open_shard(&index.with_file_name(&file))?;
            if let Some(missing) = tensors.iter().find(|name| shard.info(name).is_none()) {
                return Err(shard.missing(missing));
            }
            let surplus = shard
                .names()
                .into_iter()
                .filter(|name| !tensors.iter().any(|listed| listed == name));
            let names: Vec<String> = surplus.map(str::to_owned).collect();
            if !names.is_empty() {
                return Err(Error::SurplusTensors { file: shard.label().to_owned(), names });
            }
            by_name.extend(tensors.into_iter().map(|tensor| (tensor, Arc::clone(&shard))));
        }
        Ok(Self { label, by_name })
    }

    fn shard(&self, name: &str) -> Option<&Arc<dyn TensorSource>> {
        self.by_name.get(name)
    }
}

impl TensorSource for ShardedTensors {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.by_name.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.shard(name).and_then(|shard| shard.info(name))
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        self.shard(name).ok_or_else(|| self.missing(name))?.bytes(name)
    }
}
