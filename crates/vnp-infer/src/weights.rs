//! Named tensors, from files or memory, checked against what a network needs.

pub(crate) mod checkpoint;
pub(crate) mod convert;
pub(crate) mod file;
pub(crate) mod lent;
mod mapped;
pub(crate) mod renamed;
pub(crate) mod sharded;
pub(crate) mod tensors;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use safetensors::Dtype;
use vnp_ckpt::Value;

use crate::error::Error;
use convert::Number;
use lent::{Lent, Stored};

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
    /// Its elements, little-endian, row-major; empty for a name that is not there. They are
    /// lent, not copied, where they are in memory or a file's pages: hold one tensor's at a time.
    fn bytes(&self, name: &str) -> Result<Lent<'_>, Error>;
    /// What the file itself calls it.
    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        name
    }
    /// What the file says beside its tensors.
    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        None
    }
}

/// What networks take their tensors from.
pub(crate) trait Provider {
    /// The rows of one or more matrices or vectors below each other, on a device.
    fn stacked(&self, names: &[String], dtype: DType, device: &Device) -> Result<Tensor, Error>;

    /// The elements of a tensor as f32, or nothing where it is optional and not there.
    fn values(&self, name: &str) -> Result<Option<Vec<f32>>, Error>;
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
                Role::Unused => unused.push(source.original(name).to_owned()),
                Role::Used(ours) => {
                    if found.insert(ours, name.to_owned()).is_some() {
                        surplus.push(source.original(name).to_owned());
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
        surplus.extend(found.values().map(|name| source.original(name).to_owned()));
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
    pub(crate) fn bytes(&self, name: &str) -> Result<Lent<'_>, Error> {
        self.names.get(name).map_or(Ok(Lent::Slice(&[])), |name| self.source.bytes(name))
    }

    /// A tensor, to take numbers from; nothing where it is optional and not there.
    pub(crate) fn stored(&self, name: &str) -> Result<Option<Stored<'_>>, Error> {
        let Some(name) = self.names.get(name) else { return Ok(None) };
        let Some(info) = self.source.info(name) else { return Ok(None) };
        if !is_float(info.dtype) {
            return Err(dtype_error(self.source.as_ref(), name, info));
        }
        Ok(Some(Stored::new(info.dtype, &info.shape, self.source.bytes(name)?)))
    }

    /// The same of a tensor that [`Weights::select`] was told is required.
    pub(crate) fn tensor(&self, name: &str) -> Result<Stored<'_>, Error> {
        self.stored(name)?.ok_or_else(|| Error::MissingTensor {
            file: self.label().to_owned(),
            name: name.to_owned(),
            expected: Vec::new(),
        })
    }

    /// The elements, as f32, of a tensor that [`Weights::select`] was told is required.
    pub(crate) fn required(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.tensor(name)?.to_vec())
    }

    fn stacked_as<T: Number + WithDType>(
        &self,
        names: &[String],
        device: &Device,
    ) -> Result<Tensor, Error> {
        let mut elements = Vec::<T>::new();
        let mut shape: Option<Vec<usize>> = None;
        for name in names {
            let tensor = self.tensor(name)?;
            if elements.is_empty() {
                // What is stacked is of one size as a rule.
                elements.reserve_exact(names.len() * tensor.shape().iter().product::<usize>());
            }
            tensor.extend(&mut elements);
            shape = Some(match shape {
                None => tensor.shape().to_vec(),
                Some(mut sum) => {
                    if let (Some(rows), Some(more)) = (sum.first_mut(), tensor.shape().first()) {
                        *rows += more;
                    }
                    sum
                }
            });
        }
        Tensor::from_vec(elements, shape.unwrap_or_default(), device)
            .map_err(Error::compute(format!("loading {}", names.join(", "))))
    }
}

impl Provider for Weights {
    /// Elements are converted from where they lie to the type asked for, and copied no further
    /// here.
    fn stacked(&self, names: &[String], dtype: DType, device: &Device) -> Result<Tensor, Error> {
        match dtype {
            DType::F16 => self.stacked_as::<f16>(names, device),
            DType::BF16 => self.stacked_as::<bf16>(names, device),
            _ => self.stacked_as::<f32>(names, device),
        }
    }

    fn values(&self, name: &str) -> Result<Option<Vec<f32>>, Error> {
        Ok(self.stored(name)?.map(|tensor| tensor.to_vec()))
    }
}

fn check_tensor(source: &dyn TensorSource, name: &str, spec: &TensorSpec) -> Result<(), Error> {
    let Some(info) = source.info(name) else {
        return Ok(());
    };
    if info.shape != spec.shape {
        return Err(Error::TensorShape {
            file: source.label().to_owned(),
            name: source.original(name).to_owned(),
            expected: spec.shape.clone(),
            found: info.shape.clone(),
        });
    }
    if !is_float(info.dtype) {
        return Err(dtype_error(source, name, info));
    }
    Ok(())
}

fn check_equal(source: &dyn TensorSource, first: &str, name: &str) -> Result<(), Error> {
    if source.info(first) == source.info(name) && *source.bytes(first)? == *source.bytes(name)? {
        return Ok(());
    }
    let (file, name) = (source.label().to_owned(), source.original(name).to_owned());
    Err(Error::RotaryMismatch { file, name })
}

fn is_float(dtype: Dtype) -> bool {
    matches!(dtype, Dtype::F32 | Dtype::F16 | Dtype::BF16)
}

fn dtype_error(source: &dyn TensorSource, name: &str, info: &TensorInfo) -> Error {
    Error::TensorDtype {
        file: source.label().to_owned(),
        name: source.original(name).to_owned(),
        found: info.dtype.to_string(),
    }
}
