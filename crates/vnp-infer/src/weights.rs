//! Named tensors, from files or memory, checked against what a network needs.

pub(crate) mod checkpoint;
pub(crate) mod file;
pub(crate) mod sharded;
pub(crate) mod tensors;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use half::{bf16, f16};
use safetensors::Dtype;

use crate::Error;

/// A tensor that a network needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TensorSpec {
    /// Its name, as in the bundle's file.
    pub name: String,
    /// Its shape.
    pub shape: Vec<usize>,
}

impl TensorSpec {
    pub(crate) fn new(name: impl Into<String>, shape: impl Into<Vec<usize>>) -> Self {
        Self { name: name.into(), shape: shape.into() }
    }
}

/// What is known of a tensor without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorInfo {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
}

/// A place that tensors are read from, one at a time.
pub(crate) trait TensorSource: fmt::Debug + Send + Sync {
    /// What messages call it: a path.
    fn label(&self) -> &str;
    /// The names of its tensors.
    fn names(&self) -> Vec<&str>;
    /// The type and shape of one.
    fn info(&self, name: &str) -> Option<&TensorInfo>;
    /// Its elements, little-endian, row-major; empty for a name that is not there.
    fn read(&self, name: &str) -> Result<Vec<u8>, Error>;
}

/// What the tensor of a name in a file means to a network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is the network's tensor of this name.
    Used(String),
    /// As `Used`, but stored once a layer: all copies must be equal.
    Repeated(String),
    /// It belongs to a part that is not computed here.
    Unused,
}

/// The tensors of one network: exactly those it needs, by the names this crate uses.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    source: Arc<dyn TensorSource>,
    /// Our name to the source's.
    names: BTreeMap<String, String>,
    unused: Vec<String>,
}

impl Weights {
    /// Gives every tensor of `source` its role, and checks that all of `required` are there with
    /// their shapes, that those of `optional` that are there have theirs, and that no tensor is
    /// left over.
    pub(crate) fn select(
        source: Arc<dyn TensorSource>,
        role: impl Fn(&str) -> Role,
        required: impl Iterator<Item = TensorSpec>,
        optional: impl Iterator<Item = TensorSpec>,
    ) -> Result<Self, Error> {
        let mut found = BTreeMap::new();
        let mut unused = Vec::new();
        let mut surplus = Vec::new();
        for name in source.names() {
            match role(name) {
                Role::Unused => unused.push(name.to_owned()),
                Role::Used(ours) => {
                    if found.insert(ours, name.to_owned()).is_some() {
                        surplus.push(name.to_owned());
                    }
                }
                Role::Repeated(ours) => {
                    if let Some(first) = found.get(&ours) {
                        check_equal(source.as_ref(), first, name)?;
                    } else {
                        found.insert(ours, name.to_owned());
                    }
                }
            }
        }
        let mut names = BTreeMap::new();
        for spec in required {
            let Some(name) = found.remove(&spec.name) else {
                return Err(Error::MissingTensor {
                    file: source.label().to_owned(),
                    name: spec.name,
                    expected: spec.shape,
                });
            };
            check_tensor(source.as_ref(), &name, &spec)?;
            names.insert(spec.name, name);
        }
        for spec in optional {
            if let Some(name) = found.remove(&spec.name) {
                check_tensor(source.as_ref(), &name, &spec)?;
                names.insert(spec.name, name);
            }
        }
        surplus.extend(found.into_values());
        if !surplus.is_empty() {
            return Err(Error::SurplusTensors { file: source.label().to_owned(), names: surplus });
        }
        Ok(Self { source, names, unused })
    }

    /// The file that the tensors are read from.
    pub(crate) fn label(&self) -> &str {
        self.source.label()
    }

    /// The source's names of tensors that are not used.
    pub(crate) fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Our names, types and shapes, in name order.
    pub(crate) fn infos(&self) -> impl Iterator<Item = (&str, &TensorInfo)> {
        self.names
            .iter()
            .filter_map(|(ours, name)| self.source.info(name).map(|info| (ours.as_str(), info)))
    }

    /// The elements of a tensor as stored.
    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>, Error> {
        self.names.get(name).map_or(Ok(Vec::new()), |name| self.source.read(name))
    }

    /// The elements of a tensor as f32, or nothing where it is optional and not there.
    pub(crate) fn values(&self, name: &str) -> Result<Option<Vec<f32>>, Error> {
        let Some(name) = self.names.get(name) else {
            return Ok(None);
        };
        values(self.source.as_ref(), name).map(Some)
    }

    /// A tensor that [`Weights::select`] was told is required.
    pub(crate) fn required(&self, name: &str) -> Result<Vec<f32>, Error> {
        self.values(name)?.ok_or_else(|| Error::MissingTensor {
            file: self.label().to_owned(),
            name: name.to_owned(),
            expected: Vec::new(),
        })
    }

    /// The rows of one or more matrices or vectors below each other, on a device.
    pub(crate) fn stacked(
        &self,
        names: &[String],
        dtype: DType,
        device: &Device,
    ) -> Result<Tensor, Error> {
        let mut elements = Vec::new();
        let mut shape: Option<Vec<usize>> = None;
        for name in names {
            elements.extend(self.required(name)?);
            let info = self.names.get(name).and_then(|name| self.source.info(name));
            let next = info.map(|info| info.shape.clone()).unwrap_or_default();
            shape = Some(match shape {
                None => next,
                Some(mut sum) => {
                    if let (Some(rows), Some(more)) = (sum.first_mut(), next.first()) {
                        *rows += more;
                    }
                    sum
                }
            });
        }
        Tensor::from_vec(elements, shape.unwrap_or_default(), device)
            .and_then(|tensor| tensor.to_dtype(dtype))
            .map_err(Error::compute(format!("loading {}", names.join(", "))))
    }
}

fn check_tensor(source: &dyn TensorSource, name: &str, spec: &TensorSpec) -> Result<(), Error> {
    let Some(info) = source.info(name) else {
        return Ok(());
    };
    if info.shape != spec.shape {
        return Err(Error::TensorShape {
            file: source.label().to_owned(),
            name: name.to_owned(),
            expected: spec.shape.clone(),
            found: info.shape.clone(),
        });
    }
    if !matches!(info.dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16) {
        return Err(dtype_error(source, name, info));
    }
    Ok(())
}

fn check_equal(source: &dyn TensorSource, first: &str, name: &str) -> Result<(), Error> {
    if source.info(first) == source.info(name) && source.read(first)? == source.read(name)? {
        return Ok(());
    }
    Err(Error::RotaryMismatch { file: source.label().to_owned(), name: name.to_owned() })
}

fn values(source: &dyn TensorSource, name: &str) -> Result<Vec<f32>, Error> {
    let Some(info) = source.info(name) else {
        return Ok(Vec::new());
    };
    let bytes = source.read(name)?;
    Ok(match info.dtype {
        Dtype::F32 => bytes.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect(),
        Dtype::F16 => bytes.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect(),
        Dtype::BF16 => {
            bytes.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()
        }
        _ => return Err(dtype_error(source, name, info)),
    })
}

fn dtype_error(source: &dyn TensorSource, name: &str, info: &TensorInfo) -> Error {
    Error::TensorDtype {
        file: source.label().to_owned(),
        name: name.to_owned(),
        found: info.dtype.to_string(),
    }
}
