//! Tensors of a file that a user gave: f64 becomes f32, and every value is one to compute with.

use std::collections::BTreeMap;
use std::sync::Arc;

use safetensors::Dtype;
use vnp_ckpt::Value;

use super::bytes::TensorBytes;
use super::sound::{check, index_of};
use super::{TensorInfo, TensorSource};
use crate::error::Error;
use crate::error::weights::WeightsError;

/// A source whose tensors are converted and checked when they are read.
#[derive(Debug)]
pub(crate) struct Given {
    source: Arc<dyn TensorSource>,
    /// The tensors of f64, as they are here.
    narrowed: BTreeMap<String, TensorInfo>,
}

impl Given {
    pub(crate) fn new(source: Arc<dyn TensorSource>) -> Self {
        let f64s = source.names().into_iter().filter_map(|name| {
            let info = source.info(name).filter(|info| info.dtype == Dtype::F64)?;
            let narrow = TensorInfo { dtype: Dtype::F32, shape: info.shape.clone() };
            Some((name.to_owned(), narrow))
        });
        let narrowed = f64s.collect();
        Self { source, narrowed }
    }
}

impl TensorSource for Given {
    fn label(&self) -> &str {
        self.source.label()
    }

    fn names(&self) -> Vec<&str> {
        self.source.names()
    }

    fn info(&self, name: &str) -> Option<&TensorInfo> {
        self.narrowed.get(name).or_else(|| self.source.info(name))
    }

    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let bytes = self.source.bytes(name)?;
        let Some(info) = self.info(name) else { return Ok(bytes) };
        let original = self.source.original(name);
        if !self.narrowed.contains_key(name) {
            check((self.label(), original), info.dtype, &info.shape, &bytes)?;
            return Ok(bytes);
        }
        let mut narrow = Vec::with_capacity(bytes.len() / 2);
        for (element, bytes) in bytes.as_chunks::<8>().0.iter().enumerate() {
            let value = f64::from_le_bytes(*bytes);
            #[expect(clippy::cast_possible_truncation, reason = "what leaves the range is refused")]
            let rounded = value as f32;
            if value.is_finite() && rounded.is_infinite() {
                return Err(WeightsError::BadValue {
                    file: self.label().to_owned(),
                    name: original.to_owned(),
                    index: index_of(element, &info.shape),
                    found: format!("{value:e}, which f32 cannot hold,"),
                }
                .into());
            }
            narrow.extend(rounded.to_le_bytes());
        }
        check((self.label(), original), info.dtype, &info.shape, &narrow)?;
        Ok(TensorBytes::Read(narrow))
    }

    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        self.source.original(name)
    }

    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        self.source.metadata()
    }

    fn other_kind(&self) -> Option<&str> {
        self.source.other_kind()
    }

    fn missing(&self, name: &str) -> Error {
        self.source.missing(name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One f64 tensor.
    #[derive(Debug)]
    struct Wide(TensorInfo, Vec<u8>);

    impl TensorSource for Wide {
        fn label(&self) -> &'static str {
            "wide"
        }
        fn names(&self) -> Vec<&str> {
            vec!["w"]
        }
        fn info(&self, _: &str) -> Option<&TensorInfo> {
            Some(&self.0)
        }
        fn bytes(&self, _: &str) -> Result<TensorBytes<'_>, Error> {
            Ok(TensorBytes::Slice(&self.1))
        }
    }

    fn given(values: &[f64]) -> Given {
        let info = TensorInfo { dtype: Dtype::F64, shape: vec![1, values.len()] };
        let bytes = values.iter().flat_map(|value| value.to_le_bytes()).collect();
        Given::new(Arc::new(Wide(info, bytes)))
    }

    #[test]
    fn f64_is_rounded() {
        let given = given(&[0.1, -2.0, 1e-60]);
        assert_eq!(given.info("w").unwrap().dtype, Dtype::F32);
        let expected = [0.1_f32, -2.0, 0.0].map(f32::to_le_bytes).concat();
        assert_eq!(*given.bytes("w").unwrap(), expected);
    }

    #[test]
    fn what_f32_cannot_hold_is_named() {
        let check = |values: &[f64], expected: &[usize], message: &str| {
            let error = given(values).bytes("w").unwrap_err();
            let Error::Weights(WeightsError::BadValue { name, index, .. }) = &error else {
                panic!("{error}")
            };
            assert_eq!((name.as_str(), index.as_slice()), ("w", expected));
            assert!(error.to_string().contains(message), "{error}");
        };
        check(&[0.0, 1e300], &[0, 1], "1e300, which f32 cannot hold");
        check(&[0.0, 0.0, f64::NAN], &[0, 2], "NaN");
        check(&[f64::NEG_INFINITY], &[0, 0], "-inf");
    }
}
