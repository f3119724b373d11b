//! Values of parameters on the host, as they are saved and as the best epoch is kept.

use std::collections::BTreeMap;

use vnp_infer::Tensors;

use crate::error::Error;

/// A copy of named values, which further training does not change.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Snapshot {
    values: BTreeMap<String, (Vec<usize>, Vec<f32>)>,
}

impl Snapshot {
    /// Adds values in row-major order.
    pub(crate) fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        self.values.insert(name.to_owned(), (shape.to_vec(), values));
    }

    /// The shape and values under a name.
    ///
    /// # Errors
    /// [`Error::NoParameter`]
    pub(crate) fn get(&self, name: &str) -> Result<(&[usize], &[f32]), Error> {
        let found = self.values.get(name);
        let found = found.ok_or_else(|| Error::NoParameter { name: name.to_owned() })?;
        Ok((&found.0, &found.1))
    }

    /// All names, shapes and values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[usize], &[f32])> {
        self.values.iter().map(|(name, (shape, values))| (name.as_str(), &shape[..], &values[..]))
    }

    /// The values under a name, mutable.
    pub(crate) fn values_mut(&mut self, name: &str) -> Result<&mut Vec<f32>, Error> {
        let found = self.values.get_mut(name).map(|(_, values)| values);
        found.ok_or_else(|| Error::NoParameter { name: name.to_owned() })
    }

    /// The values whose names begin with `prefix`, which is removed, as f32 tensors for a bundle.
    #[must_use]
    pub fn tensors(&self, prefix: &str) -> Tensors {
        let mut tensors = Tensors::default();
        for (name, shape, values) in self.iter() {
            if let Some(name) = name.strip_prefix(prefix) {
                tensors.insert_f32(name, shape, values);
            }
        }
        tensors
    }

    /// The same as f16 tensors, except vectors, which are small: biases, norms, frequencies.
    #[must_use]
    pub fn half_tensors(&self, prefix: &str) -> Tensors {
        let mut tensors = Tensors::default();
        for (name, shape, values) in self.iter() {
            if let Some(name) = name.strip_prefix(prefix) {
                if shape.len() > 1 {
                    tensors.insert_f16(name, shape, values);
                } else {
                    tensors.insert_f32(name, shape, values);
                }
            }
        }
        tensors
    }
}
