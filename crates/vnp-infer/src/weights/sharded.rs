//! Tensors spread over several files, with an index that says where each is.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;

use super::lent::Lent;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// `model.safetensors.index.json` and its like: tensor to file.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

/// The files of one index as one source.
#[derive(Debug)]
pub(crate) struct ShardedTensors {
    label: String,
    shards: Vec<Arc<dyn TensorSource>>,
    /// Tensor to the place of its shard.
    places: BTreeMap<String, usize>,
}

impl ShardedTensors {
    /// Opens every file that the index names, with `open_shard`, and checks that each holds what
    /// the index says and nothing else.
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
        let (mut shards, mut places) = (Vec::new(), BTreeMap::new());
        for (file, tensors) in by_file {
            // A name, not a path: an index has no business elsewhere.
            if Path::new(&file).file_name() != Some(file.as_ref()) {
                return Err(Error::ShardName { index: label, file });
            }
            let shard = open_shard(&index.with_file_name(&file))?;
            if let Some(missing) = tensors.iter().find(|name| shard.info(name).is_none()) {
                return Err(Error::MissingTensor {
                    file: shard.label().to_owned(),
                    name: missing.clone(),
                    expected: Vec::new(),
                });
            }
            let surplus = shard
                .names()
                .into_iter()
                .filter(|name| !tensors.iter().any(|listed| listed == name));
            let names: Vec<String> = surplus.map(str::to_owned).collect();
            if !names.is_empty() {
                return Err(Error::SurplusTensors { file: shard.label().to_owned(), names });
            }
            places.extend(tensors.into_iter().map(|tensor| (tensor, shards.len())));
            shards.push(shard);
        }
        Ok(Self { label, shards, places })
    }

    fn shard(&self, name: &str) -> Option<&Arc<dyn TensorSource>> {
        self.places.get(name).and_then(|place| self.shards.get(*place))
    }
}

impl TensorSource for ShardedTensors {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.places.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.shard(name).and_then(|shard| shard.info(name))
    }

    fn bytes(&self, name: &str) -> Result<Lent<'_>, Error> {
        self.shard(name).map_or(Ok(Lent::Slice(&[])), |shard| shard.bytes(name))
    }
}
