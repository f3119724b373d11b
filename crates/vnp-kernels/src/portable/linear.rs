//! Linear layers by the `gemm` crate.

use super::elementwise::{gated_gelu, gelu};
use super::matmul::{Matrix, MatrixMut, multiply_add};
use super::rows::{add_rows, fill_rows};
use crate::epilogue::{Destination, Step};
use crate::error::Error;
use crate::packed::PackedWeights;
use crate::scratch::Scratch;

/// `[inputs, outputs]`, the transpose of a weight in a checkpoint: `gemm` copies panels of it
/// directly instead of transposing them.
pub(crate) struct Weights {
    values: Vec<f32>,
    outputs: usize,
    inputs: usize,
}

impl Weights {
    pub(crate) fn new(outputs: usize, inputs: usize) -> Self {
        Self { values: vec![0.0; outputs * inputs], outputs, inputs }
    }

    fn multiply_add(&self, x: &[f32], output: &mut [f32]) -> Result<(), Error> {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let rows = x.len() / inputs;
        multiply_add(
            MatrixMut::new(output, rows, outputs, outputs)?,
            Matrix::new(x, rows, inputs, inputs)?,
            Matrix::new(&self.values, inputs, outputs, outputs)?,
        )
    }
}

impl PackedWeights for Weights {
    fn columns(&self) -> usize {
        self.outputs
    }

    fn column(&self, output: usize) -> usize {
        output
    }

    fn pack(&mut self, column: usize, weights: &[f32]) {
        debug_assert!(column < self.outputs && weights.len() == self.inputs);
        let column = self.values.iter_mut().skip(column).step_by(self.outputs);
        column.zip(weights).for_each(|(value, weight)| *value = *weight);
    }

    fn multiply(
        &self,
        x: &[f32],
        destination: &mut Destination<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let Destination { output, width, bias, step } = destination;
        match step {
            Step::Glu => {
                let wide = &mut scratch.wide;
                wide.clear();
                wide.resize(x.len() / self.inputs * self.outputs, 0.0);
                fill_rows(wide, bias);
                self.multiply_add(x, wide)?;
                gated_gelu(wide, output, *width);
                return Ok(());
            }
            Step::Add => add_rows(output, bias),
            Step::Store | Step::Gelu => fill_rows(output, bias),
        }
        self.multiply_add(x, output)?;
        if *step == Step::Gelu {
            gelu(output);
        }
        Ok(())
    }
}
