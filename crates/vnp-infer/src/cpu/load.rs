//! Packing a checkpoint's tensors.

use vnp_kernels::{Cpu, LayerKind, Linear, LinearBuilder, Precision};

use super::transformer::Norm;
use crate::Error;
use crate::weights::Weights;

/// Rows of a matrix that are in memory as f32 before they are packed.
const ROWS_AT_A_TIME: usize = 64;

/// How weights are to be packed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Loader<'a> {
    pub(crate) weights: &'a Weights,
    pub(crate) cpu: Cpu,
    pub(crate) precision: Precision,
}

impl Loader<'_> {
    /// One layer of the matrices `NAME.weight` of `names`, `[outputs, inputs]` together, below each
    /// other, and their biases where `biased`.
    pub(crate) fn linear(
        &self,
        names: &[String],
        kind: LayerKind,
        outputs: usize,
        inputs: usize,
        biased: bool,
    ) -> Result<Linear, Error> {
        let mut builder = LinearBuilder::new(self.cpu, self.precision, kind, outputs, inputs)
            .map_err(Error::kernel)?;
        let mut buffer: Vec<f32> = Vec::new();
        let mut first = 0;
        for name in names {
            let weight = self.weights.tensor(&format!("{name}.weight"))?;
            if biased {
                let bias = self.weights.required(&format!("{name}.bias"))?;
                builder.bias(first, &bias).map_err(Error::kernel)?;
            }
            let rows = weight.shape().first().copied().unwrap_or_default();
            for start in (0..rows).step_by(ROWS_AT_A_TIME) {
                buffer.clear();
                weight.extend_rows(start..rows.min(start + ROWS_AT_A_TIME), &mut buffer);
                builder.rows(first + start, &buffer).map_err(Error::kernel)?;
            }
            first += rows;
        }
        Ok(builder.build())
    }

    /// The norm `NAME.weight`, `NAME.bias`.
    pub(crate) fn norm(&self, name: &str, eps: f64) -> Result<Norm, Error> {
        Ok(Norm {
            cpu: self.cpu,
            weight: self.weights.required(&format!("{name}.weight"))?,
            bias: self.weights.required(&format!("{name}.bias"))?,
            eps: eps as f32,
        })
    }
}
