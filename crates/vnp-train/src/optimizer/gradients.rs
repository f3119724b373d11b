//! The gradients of all parameters.

use std::collections::BTreeMap;

use candle_core::Tensor;
use rayon::prelude::*;

use super::BLOCK;
use crate::parameters::Parameters;
use crate::{Error, host};

/// The gradient of a loss, by the names of the parameters. One that the loss does not depend on has
/// none.
#[derive(Debug)]
pub(crate) struct Gradients(BTreeMap<String, Tensor>);

impl Gradients {
    /// Of a loss of one value.
    pub(crate) fn of(loss: &Tensor, parameters: &Parameters) -> Result<Self, Error> {
        // What a loss before left, whose gradients nobody asked for.
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

    /// The root of the sum of all squares, added in an order that no thread changes.
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
}
