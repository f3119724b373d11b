//! Layer normalisation.

use candle_core::{Result, Tensor};

use crate::kernel::{Kernels, compute, rows};

/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    /// `[hidden]`
    pub(crate) weight: Tensor,
    /// `[hidden]`
    pub(crate) bias: Tensor,
    /// Added to the variance.
    pub(crate) eps: f32,
}

impl LayerNorm {
    /// `[batch, length, hidden]` to the same.
    pub(crate) fn forward(&self, x: &Tensor, kernels: Kernels) -> Result<Tensor> {
        match kernels {
            Kernels::Own => {
                compute([x, &self.weight, &self.bias], x.shape(), |[x, weight, bias], output| {
                    rows::layer_norm(x, output, weight, bias, self.eps);
                    Ok(())
                })
            }
            Kernels::Candle => {
                candle_nn::ops::layer_norm(&x.contiguous()?, &self.weight, &self.bias, self.eps)
            }
        }
    }
}
