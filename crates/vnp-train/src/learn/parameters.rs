//! The parameters of networks, by name.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use candle_core::{DType, Device, Tensor, Var};

use crate::error::Error;
use crate::learn::host;
use crate::learn::snapshot::Snapshot;

/// The variables and buffers of networks by name, in f32, on one device.
///
/// *Variables* are learned; *buffers* (running means) are saved with them, and
/// changed by the forward pass. Several networks share one such value under different prefixes.
#[derive(Debug)]
pub(crate) struct Parameters {
    device: Device,
    variables: BTreeMap<String, Var>,
    buffers: BTreeMap<String, Var>,
    handed: Handed,
}

/// Gradients that an operation computed past Candle's store, by the names of the variables.
#[derive(Debug, Clone, Default)]
pub(crate) struct Handed(Arc<Mutex<BTreeMap<String, Tensor>>>);

impl Handed {
    /// Adds to the gradient of a variable.
    pub(crate) fn add(&self, name: &str, gradient: Tensor) -> candle_core::Result<()> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = match all.remove(name) {
            Some(sum) => (sum + gradient)?,
            None => gradient,
        };
        all.insert(name.to_owned(), sum);
        Ok(())
    }

    /// Takes all gradients added so far.
    pub(crate) fn take(&self) -> BTreeMap<String, Tensor> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Parameters {
    /// No parameters yet.
    pub(crate) fn new(device: Device) -> Self {
        Self {
            device,
            variables: BTreeMap::new(),
            buffers: BTreeMap::new(),
            handed: Handed::default(),
        }
    }

    /// The device that holds them.
    pub(crate) fn device(&self) -> &Device {
        &self.device
    }

    /// Adds a variable with its initial values in row-major order.
    ///
    /// # Errors
    /// For a shape that does not fit the values.
    pub(crate) fn insert(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        values: &[f32],
    ) -> Result<(), Error> {
        self.variables.insert(name.into(), variable(shape, values, &self.device)?);
        Ok(())
    }

    /// Adds a buffer.
    pub(crate) fn insert_buffer(
        &mut self,
        name: impl Into<String>,
        shape: &[usize],
        values: &[f32],
    ) -> Result<(), Error> {
        self.buffers.insert(name.into(), variable(shape, values, &self.device)?);
        Ok(())
    }

    /// A variable for a forward pass, with gradients.
    ///
    /// # Errors
    /// [`Error::NoParameter`]
    pub(crate) fn get(&self, name: &str) -> Result<&Tensor, Error> {
        found(&self.variables, name).map(Var::as_tensor)
    }

    /// The current values of a buffer, without gradients.
    pub(crate) fn buffer(&self, name: &str) -> Result<Tensor, Error> {
        found(&self.buffers, name).map(Var::as_detached_tensor)
    }

    /// Overwrites a buffer, as a forward pass in training does.
    pub(crate) fn set_buffer(&self, name: &str, values: &Tensor) -> Result<(), Error> {
        Ok(found(&self.buffers, name)?.set(&values.detach())?)
    }

    /// The collector for gradients that bypass Candle's store.
    pub(crate) fn handed(&self) -> Handed {
        self.handed.clone()
    }

    /// The variables, in the order of their names.
    pub(crate) fn variables(&self) -> impl ExactSizeIterator<Item = (&str, &Var)> {
        self.variables.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// The number of learned values.
    pub(crate) fn count(&self) -> usize {
        self.variables.values().map(|variable| variable.elem_count()).sum()
    }

    /// A copy of all variables and buffers on the host.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        let mut snapshot = Snapshot::default();
        for (name, variable) in self.all() {
            snapshot.insert(name, variable.dims(), host::read(variable, <[f32]>::to_vec)?);
        }
        Ok(snapshot)
    }

    /// Sets all variables and buffers to a copy's values.
    ///
    /// # Errors
    /// [`Error::NoParameter`] for one that the copy lacks; [`Error::Mismatch`] where shapes differ.
    pub(crate) fn restore(&mut self, snapshot: &Snapshot) -> Result<(), Error> {
        for (name, variable) in self.all() {
            let (shape, values) = snapshot.get(name)?;
            let expected = variable.dims();
            if shape != expected {
                let [expected, found] = [expected, shape].map(|shape| format!("{shape:?}"));
                return Err(Error::Mismatch { what: "shape of a parameter", expected, found });
            }
            host::change(variable, |place| place.copy_from_slice(values))?;
        }
        Ok(())
    }

    /// Variables and buffers.
    pub(crate) fn all(&self) -> impl Iterator<Item = (&str, &Var)> {
        self.variables.iter().chain(&self.buffers).map(|(name, variable)| (name.as_str(), variable))
    }
}

fn variable(shape: &[usize], values: &[f32], device: &Device) -> Result<Var, Error> {
    let tensor = Tensor::from_slice(values, shape, device)?.to_dtype(DType::F32)?;
    Ok(Var::from_tensor(&tensor)?)
}

fn found<'a>(variables: &'a BTreeMap<String, Var>, name: &str) -> Result<&'a Var, Error> {
    variables.get(name).ok_or_else(|| Error::NoParameter { name: name.to_owned() })
}
