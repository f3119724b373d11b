//! A linear layer.

use candle_core::{Result, Tensor};

use crate::kernel::matmul::{Matrix, MatrixMut, multiply_add};
use crate::kernel::{Kernels, compute, rows};

/// `x W^T + b`.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    /// `[in, out]`: the transpose of how checkpoints store it, because `gemm` then copies panels of
    /// it straight instead of transposing them for every sequence.
    weight: Tensor,
    /// `[out]`
    bias: Option<Tensor>,
}

impl Linear {
    /// Takes a weight of `[out, in]` and a bias of `[out]`.
    pub(crate) fn new(weight: &Tensor, bias: Option<Tensor>) -> Result<Self> {
        Ok(Self { weight: weight.t()?.contiguous()?, bias })
    }

    /// `[batch, length, in]` to `[batch, length, out]`.
    pub(crate) fn forward(&self, x: &Tensor, kernels: Kernels) -> Result<Tensor> {
        match kernels {
            Kernels::Own => self.own(x, None),
            Kernels::Candle => self.candle(x),
        }
    }

    /// The same, added to `residual`, `[batch, length, out]`.
    pub(crate) fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        kernels: Kernels,
    ) -> Result<Tensor> {
        match kernels {
            Kernels::Own => self.own(x, Some(residual)),
            Kernels::Candle => self.candle(x)? + residual,
        }
    }

    /// The output starts as the residual and the bias, and the product is added to it.
    fn own(&self, x: &Tensor, residual: Option<&Tensor>) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let (inputs, outputs) = self.weight.dims2()?;
        let count = batch * length;
        // An absent operand is stood for by the weight, which is there in any case.
        let operands = [
            x,
            &self.weight,
            self.bias.as_ref().unwrap_or(&self.weight),
            residual.unwrap_or(&self.weight),
        ];
        compute(operands, (batch, length, outputs), |[x, weight, bias, base], output| {
            match (residual, &self.bias) {
                (Some(_), Some(_)) => {
                    output.copy_from_slice(base);
                    rows::add_rows(output, bias);
                }
                (Some(_), None) => output.copy_from_slice(base),
                (None, Some(_)) => rows::fill_rows(output, bias),
                (None, None) => {}
            }
            multiply_add(
                MatrixMut::new(output, count, outputs, outputs)?,
                Matrix::new(x, count, width, width)?,
                Matrix::new(weight, inputs, outputs, outputs)?,
            )
        })
    }

    fn candle(&self, x: &Tensor) -> Result<Tensor> {
        let (batch, length, width) = x.dims3()?;
        let y = x.reshape((batch * length, width))?.matmul(&self.weight)?;
        let y = y.reshape((batch, length, ()))?;
        match &self.bias {
            Some(bias) => y.broadcast_add(bias),
            None => Ok(y),
        }
    }
}
