//! Named tensors, from files or memory, checked against the tensors that a network needs.

#![expect(clippy::indexing_slicing, reason = "every tensor of a network has a dimension")]

pub(crate) mod beside;
pub(crate) mod bytes;
pub(crate) mod checkpoint;
pub(crate) mod convert;
pub(crate) mod file;
pub(crate) mod given;
mod mapped;
pub(crate) mod open;
pub(crate) mod part;
mod sound;
pub(crate) mod tensors;
pub(crate) mod unwrap;
pub(crate) mod view;
mod wrappers;
pub(crate) mod write;

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use candle_core::{DType, Device, Tensor, WithDType};
use half::{bf16, f16};
use safetensors::Dtype;
use vnp_ckpt::Value;

use crate::error::Error;
use beside::Beside;
use bytes::{StoredTensor, TensorBytes};
use convert::{Float, Number};

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

/// The type and shape of a tensor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TensorInfo {
    pub(crate) dtype: Dtype,
    pub(crate) shape: Vec<usize>,
}

/// A file, or memory, that tensors are read from, one at a time.
pub(crate) trait TensorSource: fmt::Debug + Send + Sync {
    /// Its name in messages: a path.
    fn label(&self) -> &str;
    /// The names of its tensors.
    fn names(&self) -> Vec<&str>;
    /// The type and shape of a tensor.
    fn info(&self, name: &str) -> Option<&TensorInfo>;
    /// The elements of a tensor, little-endian, row-major. They are borrowed, not copied, where they
    /// are in memory or in a file's pages: hold those of one tensor at a time.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a name that the source does not have.
    fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error>;
    /// The name of a tensor in the file itself.
    fn original<'n>(&'n self, name: &'n str) -> &'n str {
        name
    }
    /// The metadata of the file.
    fn metadata(&self) -> Option<&BTreeMap<String, Value>> {
        None
    }
    /// The kind that the file states, if it is a checkpoint of ours with something else than weights.
    fn other_kind(&self) -> Option<&str> {
        None
    }
    /// The error for a tensor that the source does not have.
    fn missing(&self, name: &str) -> Error {
        missing(self.label(), name, Vec::new())
    }
}

/// The error for a tensor that a file does not have; `expected` is its shape, if known.
pub(crate) fn missing(file: &str, name: &str, expected: Vec<usize>) -> Error {
    Error::MissingTensor { file: file.to_owned(), name: name.to_owned(), expected }
}

/// The tensors that a network is loaded from: those of a file, or tensors in training.
pub(crate) trait Provider {
    /// The rows of one or more matrices or vectors, stacked, on a device.
    fn stacked(&self, names: &[String], dtype: DType, device: &Device) -> Result<Tensor, Error>;

    /// The elements of a tensor as f32; `None` for an optional tensor that was not given.
    fn values(&self, name: &str) -> Result<Option<Vec<f32>>, Error>;
}

/// The meaning of a checkpoint's tensor to a network.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Role {
    /// It is the network's tensor of this name.
    Used(String),
    /// As `Used`, but stored once per layer: all copies must be equal.
    Repeated(String),
    /// It belongs to a part that is not computed here.
    Unused,
}

/// The tensors of one network: exactly those it needs, by the names this crate uses.
#[derive(Debug, Clone)]
pub(crate) struct Weights {
    source: Arc<dyn TensorSource>,
    /// By the names that this crate uses.
    tensors: BTreeMap<String, Selected>,
    unused: Vec<String>,
    beside: Beside,
}

/// A tensor of a network.
#[derive(Debug, Clone)]
struct Selected {
    /// Its name in the source.
    name: String,
    info: TensorInfo,
    float: Float,
}

impl Weights {
    /// Gives every tensor of `source` its role, and checks that it has all of `required`, that these
    /// and those of `optional` that it has are of the right shape, and that no tensor is left over.
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
        let mut tensors = BTreeMap::new();
        for spec in required {
            let Some(name) = found.remove(&spec.name) else {
                return Err(missing(source.label(), &spec.name, spec.shape));
            };
            tensors.insert(spec.name.clone(), selected(source.as_ref(), name, &spec)?);
        }
        for spec in optional {
            if let Some(name) = found.remove(&spec.name) {
                tensors.insert(spec.name.clone(), selected(source.as_ref(), name, &spec)?);
            }
        }
        surplus.extend(found.values().map(|name| source.original(name).to_owned()));
        if !surplus.is_empty() {
            return Err(Error::SurplusTensors { file: source.label().to_owned(), names: surplus });
        }
        Ok(Self { source, tensors, unused, beside: Beside::default() })
    }

    /// The same with what its file holds beside the network.
    pub(crate) fn found_beside(mut self, beside: Beside) -> Self {
        self.beside = beside;
        self
    }

    /// What its file holds beside the network.
    pub(crate) fn beside(&self) -> &Beside {
        &self.beside
    }

    /// The name of the file that the tensors are read from.
    pub(crate) fn label(&self) -> &str {
        self.source.label()
    }

    /// The source's names of tensors that are not used.
    pub(crate) fn unused(&self) -> &[String] {
        &self.unused
    }

    /// Names, types and shapes, in name order.
    pub(crate) fn infos(&self) -> impl Iterator<Item = (&str, &TensorInfo)> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), &tensor.info))
    }

    /// The elements of a tensor as stored, none of which is NaN, infinite or a negative variance.
    pub(crate) fn bytes(&self, name: &str) -> Result<TensorBytes<'_>, Error> {
        let tensor = self.tensors.get(name).ok_or_else(|| self.source.missing(name))?;
        let bytes = self.source.bytes(&tensor.name)?;
        let (file, name) = (self.label(), self.source.original(&tensor.name));
        sound::check((file, name), tensor.info.dtype, &tensor.info.shape, &bytes)?;
        Ok(bytes)
    }

    /// A tensor, to read numbers from; `None` for an optional one that the source does not have.
    fn stored(&self, name: &str) -> Result<Option<StoredTensor<'_>>, Error> {
        let Some(Selected { name, info, float }) = self.tensors.get(name) else { return Ok(None) };
        Ok(Some(StoredTensor::new(*float, &info.shape, self.source.bytes(name)?)))
    }

    /// A required tensor, to read numbers from.
    pub(crate) fn tensor(&self, name: &str) -> Result<StoredTensor<'_>, Error> {
        self.stored(name)?.ok_or_else(|| self.source.missing(name))
    }

    /// The elements of a required tensor as f32.
    pub(crate) fn required(&self, name: &str) -> Result<Vec<f32>, Error> {
        Ok(self.tensor(name)?.to_vec())
    }

    fn stacked_as<T: Number + WithDType>(
        &self,
        names: &[String],
        device: &Device,
    ) -> Result<Tensor, Error> {
        let mut elements = Vec::<T>::new();
        let (mut rows, mut columns) = (0, &[][..]);
        for name in names {
            let tensor = self.tensor(name)?;
            if elements.is_empty() {
                // Stacked tensors are of one size as a rule.
                elements.reserve_exact(names.len() * tensor.shape().iter().product::<usize>());
            }
            tensor.extend(&mut elements);
            rows += tensor.shape()[0];
            columns = &tensor.shape()[1..];
        }
        let shape = [&[rows], columns].concat();
        Tensor::from_vec(elements, shape, device)
            .map_err(Error::compute(format!("loading {}", names.join(", "))))
    }
}

impl Provider for Weights {
    /// Elements are converted from the file's pages to the type asked for, without another copy.
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

/// Checks the shape and type of a tensor.
fn selected(source: &dyn TensorSource, name: String, spec: &TensorSpec) -> Result<Selected, Error> {
    let info = source.info(&name).ok_or_else(|| source.missing(&name))?.clone();
    let original = || (source.label().to_owned(), source.original(&name).to_owned());
    if info.shape != spec.shape {
        let ((file, name), expected) = (original(), spec.shape.clone());
        return Err(Error::TensorShape { file, name, expected, found: info.shape });
    }
    let Some(float) = Float::of(info.dtype) else {
        let (file, name) = original();
        return Err(Error::TensorDtype { file, name, found: info.dtype.to_string() });
    };
    Ok(Selected { name, info, float })
}

fn check_equal(source: &dyn TensorSource, first: &str, name: &str) -> Result<(), Error> {
    if source.info(first) == source.info(name) && *source.bytes(first)? == *source.bytes(name)? {
        return Ok(());
    }
    let (file, name) = (source.label().to_owned(), source.original(name).to_owned());
    Err(Error::RotaryMismatch { file, name })
}
