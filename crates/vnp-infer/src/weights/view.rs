//! The tensors of other sources under names of its own: renamed, or spread over several files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use serde::Deserialize;
use vnp_escape::escaped_path;

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;
use crate::given;

/// Tensors of one or more sources.
#[derive(Debug)]
pub(crate) struct View {
    label: String,
    /// From the name here to the source and its name.
    tensors: BTreeMap<String, (Arc<dyn TensorSource>, String)>,
}

/// `model.safetensors.index.json` and the like: from tensors to files.
#[derive(Deserialize)]
struct Index {
    weight_map: BTreeMap<String, String>,
}

impl View {
    /// Some tensors of a source, from their names here to those there.
    pub(crate) fn of(source: Arc<dyn TensorSource>, names: BTreeMap<String, String>) -> Self {
        let label = source.label().to_owned();
        let tensors = names.into_iter().map(|(ours, theirs)| (ours, (Arc::clone(&source), theirs)));
        Self { label, tensors: tensors.collect() }
    }

    /// The tensors of a source, every one renamed by `rename`.
    ///
    /// # Errors
    /// [`Error::SurplusTensors`] if two get one name.
    pub(crate) fn renamed(
        source: &Arc<dyn TensorSource>,
        rename: impl Fn(&str) -> String,
    ) -> Result<Self, Error> {
        let mut tensors = BTreeMap::new();
        for name in source.names() {
            let tensor = (Arc::clone(source), name.to_owned());
            if let Some((_, twin)) = tensors.insert(rename(name), tensor) {
                let (file, names) = (source.label().to_owned(), vec![twin, name.to_owned()]);
                return Err(Error::SurplusTensors { file, names });
            }
        }
        Ok(Self { label: source.label().to_owned(), tensors })
    }

    /// Opens every file that an index names, with `open_shard`, and checks that each holds the
    /// tensors that the index says and no other.
    pub(crate) fn sharded(
        index: &Path,
        open_shard: impl Fn(&Path) -> Result<Arc<dyn TensorSource>, Error>,
    ) -> Result<Self, Error> {
        let label = escaped_path(index).to_string();
        let Index { weight_map } = given::json(index)?;
        let mut by_file = BTreeMap::<String, Vec<String>>::new();
        for (tensor, file) in weight_map {
            by_file.entry(file).or_default().push(tensor);
        }
        let mut tensors = BTreeMap::new();
        for (file, listed) in by_file {
            // A name, not a path: an index may not name files in other directories.
            if Path::new(&file).file_name() != Some(file.as_ref()) {
                return Err(Error::ShardName { index: label, file });
            }
            let shard = open_shard(&index.with_file_name(&file))?;
            if let Some(missing) = listed.iter().find(|name| shard.info(name).is_none()) {
                return Err(shard.missing(missing));
            }
            let known: BTreeSet<&str> = listed.iter().map(String::as_str).collect();
            let is_listed = |name: &&str| known.contains(name);
            let surplus = shard.names().into_iter().filter(|name| !is_listed(name));
            let names: Vec<String> = surplus.map(str::to_owned).collect();
            if !names.is_empty() {
                return Err(Error::SurplusTensors { file: shard.label().to_owned(), names });
            }
            let of_shard = |name: String| (name.clone(), (Arc::clone(&shard), name));
            tensors.extend(listed.into_iter().map(of_shard));
        }
        Ok(Self { label, tensors })
    }
}

impl TensorSource for View {
    fn label(&self) -> &str {
        &self.label
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name).and_then(|(source, theirs)| source.info(theirs))
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let (source, theirs) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        source.bytes(theirs)
    }

    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        self.tensors.get(name).map_or(name, |(source, theirs)| source.original(theirs))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::tensors::Tensors;

    #[test]
    fn two_tensors_never_share_a_name() {
        let mut tensors = Tensors::default();
        tensors.insert_f32("a.w", &[1], &[1.0]);
        tensors.insert_f32("b.w", &[1], &[2.0]);
        let source: Arc<dyn TensorSource> = Arc::new(tensors);
        let renamed = View::renamed(&source, str::to_uppercase).unwrap();
        assert_eq!(renamed.names(), ["A.W", "B.W"]);
        assert_eq!(renamed.info("B.W").unwrap().shape, [1]);
        assert_eq!(*renamed.bytes("B.W").unwrap(), 2.0_f32.to_le_bytes());
        assert_eq!(renamed.original("B.W"), "b.w");
        let Err(Error::MissingTensor { .. }) = renamed.bytes("b.w") else { panic!() };
        let last = |name: &str| name.rsplit('.').next().unwrap().to_owned();
        let Err(Error::SurplusTensors { names, .. }) = View::renamed(&source, last) else {
            panic!("two tensors are one")
        };
        assert_eq!(names, ["a.w", "b.w"]);
    }
}
