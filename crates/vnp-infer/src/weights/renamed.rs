//! The tensors of a source under other names.

use std::collections::BTreeMap;
use std::sync::Arc;

use vnp_ckpt::Value;

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// A source whose tensors are renamed.
#[derive(Debug)]
pub(crate) struct Renamed {
    source: Arc<dyn TensorSource>,
    /// From the name here to the source's.
    names: BTreeMap<String, String>,
}

impl Renamed {
    /// Renames every tensor by `rename`.
    ///
    /// # Errors
    /// [`Error::SurplusTensors`] if two get one name.
    pub(crate) fn new(
        source: Arc<dyn TensorSource>,
        rename: impl Fn(&str) -> String,
    ) -> Result<Self, Error> {
        let mut names = BTreeMap::new();
        for theirs in source.names() {
            if let Some(twin) = names.insert(rename(theirs), theirs.to_owned()) {
                let (file, names) = (source.label().to_owned(), vec![twin, theirs.to_owned()]);
                return Err(Error::SurplusTensors { file, names });
            }
        }
        Ok(Self { source, names })
    }
}

impl TensorSource for Renamed {
    fn label(&self) -> &str {
        self.source.label()
    }

    fn names(&self) -> Vec<&str> {
        self.names.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.names.get(name).and_then(|theirs| self.source.info(theirs))
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        self.source.bytes(self.names.get(name).ok_or_else(|| self.missing(name))?)
    }

    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        self.names.get(name).map_or(name, |theirs| self.source.original(theirs))
    }

    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        self.source.metadata()
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
        let renamed = Renamed::new(Arc::clone(&source), str::to_uppercase).unwrap();
        assert_eq!(renamed.names(), ["A.W", "B.W"]);
        assert_eq!(renamed.info("B.W").unwrap().shape, [1]);
        assert_eq!(*renamed.bytes("B.W").unwrap(), 2.0_f32.to_le_bytes());
        assert_eq!(renamed.original("B.W"), "b.w");
        let Err(Error::MissingTensor { .. }) = renamed.bytes("b.w") else { panic!() };
        let last = |name: &str| name.rsplit('.').next().unwrap().to_owned();
        let Err(Error::SurplusTensors { names, .. }) = Renamed::new(source, last) else {
            panic!("two tensors are one")
        };
        assert_eq!(names, ["a.w", "b.w"]);
    }
}
