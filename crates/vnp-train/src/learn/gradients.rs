//! The gradients of all parameters.

use std::collections::BTreeMap;

use candle_core::Tensor;
use rayon::prelude::*;

use crate::error::Error;
use crate::learn::host;
use crate::learn::host::BLOCK;
use crate::learn::parameters::Parameters;

/// The gradient of a loss, by the names of the parameters. A parameter that the loss does not depend on has
/// none.
#[derive(Debug)]
pub(crate) struct Gradients(BTreeMap<String, Tensor>);

impl Gradients {
    /// Computes the gradients of a loss, a single value.
    pub(crate) fn of(loss: &Tensor, parameters: &Parameters) -> Result<Self, Error> {
        // Gradients left over from an earlier forward pass.
        parameters.handed().take();
        let mut store = loss.backward()?;
        for (name, variable) in parameters.variables() {
            if let Some(gradient) = store.remove(variable) {
                parameters.handed().add(name, gradient.contiguous()?)?;
            }
        }
        Ok(Self(parameters.handed().take()))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Tensor> {
        self.0.get(name)
    }

    /// The norm of all gradients together, summed in an order that does not depend on threads.
    pub(crate) fn norm(&self) -> Result<f64, Error> {
        let square = |x: &f32| f64::from(*x) * f64::from(*x);
        let mut sum = 0.0;
        for gradient in self.0.values() {
            let sums: Vec<f64> = host::read(gradient, |values| {
                values.par_chunks(BLOCK).map(|block| block.iter().map(square).sum()).collect()
            })?;
            sum += sums.iter().sum::<f64>();
        }
        Ok(sum.sqrt())
    }

    /// The factor that shortens a longer gradient to the norm `clip`.
    pub(crate) fn clip_scale(&self, clip: Option<f64>) -> Result<f64, Error> {
        let Some(clip) = clip else { return Ok(1.0) };
        // The small number is PyTorch's.
        Ok((clip / (self.norm()? + 1e-6)).min(1.0))
    }
}
