//! Linear layers with packed weights.
#![expect(
    clippy::indexing_slicing,
    reason = "a packed column of an output is below the number of packed columns"
)]

use crate::cpu::{Cpu, Precision};
use crate::epilogue::{Destination, Epilogue, LayerKind, Step};
use crate::error::{Error, check};
use crate::native;
use crate::packed::PackedWeights;
use crate::portable::linear::Weights;
use crate::scratch::Scratch;

/// `x W^T + b`.
pub struct Linear {
    weights: Box<dyn PackedWeights>,
    /// One per packed column.
    bias: Vec<f32>,
    kind: LayerKind,
    outputs: usize,
    inputs: usize,
}

/// Builds a layer from a few rows of weights at a time, so that a second copy of all weights is never
/// in memory. Missing weights and biases are zero.
pub struct LinearBuilder(Linear);

impl LinearBuilder {
    /// A layer of `outputs` x `inputs` zeros; in a [`LayerKind::Glu`] layer `outputs` counts gates and
    /// values.
    ///
    /// # Errors
    /// [`Error::NoBf16`]; [`Error::Shape`] for a layer without inputs or outputs, or a gated one
    /// with an odd number of outputs.
    pub fn new(
        cpu: Cpu,
        precision: Precision,
        kind: LayerKind,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, Error> {
        if outputs == 0 || inputs == 0 || (kind == LayerKind::Glu && outputs % 2 == 1) {
            return Err(Error::Shape { outputs, inputs });
        }
        if !cpu.has(precision) {
            return Err(Error::NoBf16 { cpu: cpu.name() });
        }
        let weights = native::weights(cpu.level(), precision, kind, outputs, inputs)
            .unwrap_or_else(|| Box::new(Weights::new(outputs, inputs)));
        let bias = vec![0.0; weights.columns()];
        Ok(Self(Linear { weights, bias, kind, outputs, inputs }))
    }

    /// Sets whole rows of the weight, `[rows, inputs]`, from output `first` on.
    ///
    /// # Errors
    /// [`Error::Length`] for a partial row, or rows beyond the last output.
    pub fn rows(&mut self, first: usize, weights: &[f32]) -> Result<(), Error> {
        let Linear { inputs, outputs, weights: packed, .. } = &mut self.0;
        check("a row of weights", weights.len() % *inputs, 0)?;
        let rows = weights.chunks_exact(*inputs);
        check_range(*outputs, first, rows.len())?;
        for (output, row) in (first..).zip(rows) {
            packed.pack(packed.column(output), row);
        }
        Ok(())
    }

    /// Sets biases from output `first` on.
    ///
    /// # Errors
    /// [`Error::Length`] for biases beyond the last output.
    pub fn bias(&mut self, first: usize, biases: &[f32]) -> Result<(), Error> {
        check_range(self.0.outputs, first, biases.len())?;
        for (output, bias) in (first..).zip(biases) {
            self.0.bias[self.0.weights.column(output)] = *bias;
        }
        Ok(())
    }

    /// The finished layer.
    pub fn build(self) -> Linear {
        self.0
    }
}

fn check_range(outputs: usize, first: usize, count: usize) -> Result<(), Error> {
    let expected = outputs.saturating_sub(first);
    if count <= expected {
        return Ok(());
    }
    Err(Error::Length { what: "a layer", expected, found: count })
}

impl Linear {
    /// The number of values in an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// The number of values in an output row.
    pub fn width(&self) -> usize {
        match self.kind {
            LayerKind::Plain => self.outputs,
            LayerKind::Glu => self.outputs / 2,
        }
    }

    /// Multiplies `x`, `[rows, inputs]`, into `output`, `[rows, width]`. A gated layer always
    /// stores, whatever the epilogue.
    ///
    /// # Errors
    /// [`Error::Length`] for slices of other lengths.
    pub fn forward(
        &self,
        x: &[f32],
        output: &mut [f32],
        epilogue: Epilogue,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let width = self.width();
        check("a row of inputs", x.len() % self.inputs, 0)?;
        check("the output", output.len(), x.len() / self.inputs * width)?;
        let step = Step::new(self.kind, epilogue);
        let mut destination = Destination { output, width, bias: &self.bias, step };
        self.weights.multiply(x, &mut destination, scratch)
    }
}

impl std::fmt::Debug for Linear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { kind, outputs, inputs, .. } = self;
        write!(f, "Linear({kind:?}, {outputs} x {inputs})")
    }
}

#[cfg(test)]
mod exactness;
#[cfg(test)]
mod tests;
