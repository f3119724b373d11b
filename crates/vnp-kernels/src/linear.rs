//! Linear layers with packed weights.

use crate::buffer::Buffer;
use crate::error::check;
use crate::portable::linear::Weights;
use crate::{Cpu, Error, Precision};

#[cfg(target_arch = "x86_64")]
use crate::x86::{self, finish::Target};

/// What the outputs of a layer are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Themselves.
    Plain,
    /// `[g | u]`, of which `gelu(g) * u` is kept, half as wide: the gate is the first half.
    Gated,
}

/// What becomes of the outputs of a plain layer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Then {
    /// They are stored.
    Store,
    /// Their GELU, in its exact form, is stored.
    Gelu,
    /// They are added to what is there: the residual.
    Add,
}

/// `x W^T + b`.
pub struct Linear {
    packed: Packed,
    /// One a packed column.
    bias: Vec<f32>,
    form: Form,
    outputs: usize,
    inputs: usize,
}

enum Packed {
    Portable(Weights),
    #[cfg(target_arch = "x86_64")]
    Panels(Box<dyn x86::multiply::Packed>),
}

/// Buffers that layers share; a thread needs one.
#[derive(Debug, Default)]
pub struct Scratch {
    wide: Vec<f32>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) words: Buffer<u32>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) terms: Buffer<u16>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) digits: Buffer<i8>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) scales: Buffer<f32>,
    #[cfg(target_arch = "x86_64")]
    pub(crate) sums: Buffer<f32>,
}

/// A layer whose weights arrive a few rows at a time, so that they are never all there twice.
/// Weights that do not arrive are zero.
pub struct LinearBuilder(Linear);

/// Columns of a packed panel, and of its halves.
const PANEL: usize = 32;
const HALF: usize = PANEL / 2;

impl LinearBuilder {
    /// A layer of `outputs` x `inputs` zeros; of a gated one `outputs` counts both halves.
    ///
    /// # Errors
    /// [`Error::NoBf16`]; [`Error::Shape`] for a layer without inputs or outputs, or a gated one
    /// with an odd number of outputs.
    pub fn new(
        cpu: Cpu,
        precision: Precision,
        form: Form,
        outputs: usize,
        inputs: usize,
    ) -> Result<Self, Error> {
        if outputs == 0 || inputs == 0 || (form == Form::Gated && outputs % 2 == 1) {
            return Err(Error::Shape { outputs, inputs });
        }
        if !cpu.has(precision) {
            return Err(Error::NoBf16 { cpu: cpu.name() });
        }
        let panels = match form {
            Form::Plain => outputs.div_ceil(PANEL),
            Form::Gated => (outputs / 2).div_ceil(HALF),
        };
        let portable = || Packed::Portable(Weights::new(outputs, inputs));
        #[cfg(target_arch = "x86_64")]
        let packed = x86::packed(cpu.level(), precision, panels, inputs)
            .map_or_else(portable, Packed::Panels);
        #[cfg(not(target_arch = "x86_64"))]
        let packed = portable();
        let columns = match packed {
            Packed::Portable(_) => outputs,
            #[cfg(target_arch = "x86_64")]
            _ => panels * PANEL,
        };
        Ok(Self(Linear { packed, bias: vec![0.0; columns], form, outputs, inputs }))
    }

    /// Takes whole rows of the weight, `[rows, inputs]`, from output `first` on.
    ///
    /// # Errors
    /// [`Error::Length`] for part of a row, or rows beyond the last output.
    pub fn rows(&mut self, first: usize, weights: &[f32]) -> Result<(), Error> {
        let inputs = self.0.inputs;
        check("a row of weights", weights.len() % inputs, 0)?;
        self.fits(first, weights.len() / inputs)?;
        for (output, row) in (first..).zip(weights.chunks_exact(inputs)) {
            let (panel, column) = self.0.place(output);
            match &mut self.0.packed {
                Packed::Portable(weights) => weights.set(output, row),
                #[cfg(target_arch = "x86_64")]
                #[allow(
                    unsafe_code,
                    reason = "packed panels exist only where their instructions do"
                )]
                Packed::Panels(panels) => {
                    // SAFETY: `new` made them for a CPU that was found to have them.
                    unsafe { panels.set(panel, column, row) }
                }
            }
        }
        Ok(())
    }

    /// Takes biases from output `first` on.
    ///
    /// # Errors
    /// [`Error::Length`] for biases beyond the last output.
    pub fn bias(&mut self, first: usize, biases: &[f32]) -> Result<(), Error> {
        self.fits(first, biases.len())?;
        for (output, bias) in (first..).zip(biases) {
            let place = match self.0.packed {
                Packed::Portable(_) => output,
                #[cfg(target_arch = "x86_64")]
                _ => {
                    let (panel, column) = self.0.place(output);
                    panel * PANEL + column
                }
            };
            if let Some(place) = self.0.bias.get_mut(place) {
                *place = *bias;
            }
        }
        Ok(())
    }

    /// The layer.
    pub fn build(self) -> Linear {
        self.0
    }

    fn fits(&self, first: usize, count: usize) -> Result<(), Error> {
        let expected = self.0.outputs.saturating_sub(first);
        if count <= expected {
            return Ok(());
        }
        Err(Error::Length { what: "a layer", expected, found: count })
    }
}

impl Linear {
    /// Values of an input row.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Values of an output row.
    pub fn width(&self) -> usize {
        match self.form {
            Form::Plain => self.outputs,
            Form::Gated => self.outputs / 2,
        }
    }

    /// Multiplies `x`, `[rows, inputs]`, into `output`, `[rows, width]`. A gated layer stores,
    /// whatever `then` says.
    ///
    /// # Errors
    /// [`Error::Length`] for slices that do not fit.
    pub fn forward(
        &self,
        x: &[f32],
        output: &mut [f32],
        then: Then,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        check("a row of inputs", x.len() % self.inputs, 0)?;
        check("the output", output.len(), x.len() / self.inputs * self.width())?;
        match &self.packed {
            Packed::Portable(weights) => {
                weights.forward(x, output, &self.bias, self.form, then, &mut scratch.wide)
            }
            #[cfg(target_arch = "x86_64")]
            #[allow(unsafe_code, reason = "packed panels exist only where their instructions do")]
            Packed::Panels(panels) => {
                let (width, bias, form) = (self.width(), &self.bias, self.form);
                let mut target = Target { output, width, bias, form, then };
                // SAFETY: `LinearBuilder::new` made them for a CPU that was found to have them.
                unsafe { panels.multiply(x, &mut target, scratch) };
                Ok(())
            }
        }
    }

    /// The panel and column of an output: halves of a gated layer share panels, so that both
    /// operands of a gate come out of one tile.
    fn place(&self, output: usize) -> (usize, usize) {
        let half = self.outputs / 2;
        match self.form {
            Form::Plain => (output / PANEL, output % PANEL),
            Form::Gated if output < half => (output / HALF, output % HALF),
            Form::Gated => ((output - half) / HALF, HALF + (output - half) % HALF),
        }
    }
}

impl std::fmt::Debug for Linear {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { form, outputs, inputs, .. } = self;
        write!(f, "Linear({form:?}, {outputs} x {inputs})")
    }
}

#[cfg(test)]
mod exactness;
#[cfg(test)]
mod tests;
