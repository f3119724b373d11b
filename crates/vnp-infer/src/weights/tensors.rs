//! Named tensors in memory, as a training program makes them.

use std::collections::BTreeMap;

use half::f16;
use safetensors::Dtype;

use super::bytes::TensorBytes;
use super::{TensorInfo, TensorSource};
use crate::error::Error;

/// Named tensors in memory, such as those that a training program hands to a bundle.
///
/// ```
/// let mut tensors = vnp_infer::Tensors::default();
/// tensors.insert_f32("hidden_layer.bias", &[2], &[0.5, -0.5]);
/// tensors.insert_f16("bn1.weight", &[2], &[1.0, 1.0]);
/// assert_eq!(tensors.len(), 2);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Tensors {
    tensors: BTreeMap<String, (TensorInfo, Vec<u8>)>,
}

impl Tensors {
    /// Adds a tensor to be stored as f32. A shape that does not fit the number of values is found
    /// when the tensors are used.
    pub fn insert_f32(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| x.to_le_bytes()).collect();
        self.insert(name.into(), Dtype::F32, shape, bytes);
    }

    /// Adds a tensor to be stored as f16, each value rounded to the nearest.
    pub fn insert_f16(&mut self, name: impl Into<String>, shape: &[usize], values: &[f32]) {
        let bytes = values.iter().flat_map(|x| f16::from_f32(*x).to_le_bytes()).collect();
        self.insert(name.into(), Dtype::F16, shape, bytes);
    }

    /// The number of tensors.
    pub fn len(&self) -> usize {
        self.tensors.len()
    }

    /// Whether there are no tensors.
    pub fn is_empty(&self) -> bool {
        self.tensors.is_empty()
    }

    fn insert(&mut self, name: String, dtype: Dtype, shape: &[usize], bytes: Vec<u8>) {
        // A shape that does not fit the number of values must not reach a kernel: it is replaced by
        // one that every network's check of shapes refuses.
        let count = shape.iter().try_fold(1_usize, |count, size| count.checked_mul(*size));
        let values = bytes.len() * 8 / dtype.bitsize();
        let shape = if count == Some(values) { shape.to_vec() } else { vec![0, values] };
        self.tensors.insert(name, (TensorInfo { dtype, shape }, bytes));
    }
}

impl TensorSource for Tensors {
    fn label(&self) -> &str {
        "tensors in memory"
    }

    fn names(&self) -> Vec<&str> {
        self.tensors.keys().map(String::as_str).collect()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.tensors.get(name).map(|(info, _)| info)
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let (_, bytes) = self.tensors.get(name).ok_or_else(|| self.missing(name))?;
        Ok(TensorBytes::Slice(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_shape_is_never_trusted() {
        let mut tensors = Tensors::default();
        tensors.insert_f32("a", &[2, 3], &[0.0; 5]);
        assert_eq!(tensors.info("a").unwrap().shape, [0, 5]);
    }
}
