//! Linear layers by the `gemm` crate.

use super::elementwise::{gated_gelu, gelu};
use super::matmul::{Matrix, MatrixMut, multiply_add};
use super::rows::{add_rows, fill_rows};
use crate::Error;
use crate::linear::{Form, Then};

/// `[inputs, outputs]`, the transpose of how checkpoints store a weight: `gemm` copies panels of it
/// straight instead of transposing them.
pub(crate) struct Weights {
    values: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Weights {
    pub(crate) fn new(outputs: usize, inputs: usize) -> Self {
        Self { values: vec![0.0; outputs * inputs], outputs, inputs }
    }

    /// Takes the weights of one output.
    pub(crate) fn set(&mut self, output: usize, weights: &[f32]) {
        let places = self.values.iter_mut().skip(output).step_by(self.outputs.max(1));
        for (place, weight) in places.zip(weights) {
            *place = *weight;
        }
    }

    /// `x` is `[rows, inputs]`, `output` as wide as the form makes it; `wide` is scratch.
    pub(crate) fn forward(
        &self,
        x: &[f32],
        output: &mut [f32],
        bias: &[f32],
        form: Form,
        then: Then,
        wide: &mut Vec<f32>,
    ) -> Result<(), Error> {
        if form == Form::Gated {
            wide.clear();
            wide.resize(x.len() / self.inputs * self.outputs, 0.0);
            fill_rows(wide, bias);
            self.add(x, wide)?;
            gated_gelu(wide, output, self.outputs / 2);
            return Ok(());
        }
        match then {
            Then::Add => add_rows(output, bias),
            Then::Store | Then::Gelu => fill_rows(output, bias),
        }
        self.add(x, output)?;
        if then == Then::Gelu {
            gelu(output);
        }
        Ok(())
    }

    fn add(&self, x: &[f32], output: &mut [f32]) -> Result<(), Error> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let rows = x.len() / inputs;
        multiply_add(
            MatrixMut::new(output, rows, outputs, outputs)?,
            Matrix::new(x, rows, inputs, inputs)?,
            Matrix::new(&self.values, inputs, outputs, outputs)?,
        )
    }
}
