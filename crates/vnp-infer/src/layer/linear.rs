//! Linear layers.

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use crate::Error;
use crate::weights::Provider;

/// `x W^T`.
#[derive(Debug, Clone)]
pub(crate) struct Matrix {
    /// `[out, in]`, as checkpoints store it: both gemm and cuBLAS take it transposed.
    weight: Tensor,
}

/// `x W^T + b`, whose bias is left to the step that follows.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    matrix: Matrix,
    /// `[out]`, f32
    pub(crate) bias: Tensor,
}

impl Matrix {
    /// The tensor `NAME.weight` of every name, below each other.
    pub(crate) fn load(
        names: &[String],
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self { weight: weights.stacked(&ending(names, "weight"), dtype, device)? })
    }

    /// `[tokens, in]` to `[tokens, out]`.
    pub(crate) fn multiply(&self, x: &Tensor) -> CandleResult<Tensor> {
        x.matmul(&self.weight.t()?)
    }
}

impl Linear {
    /// The tensors `NAME.weight` and `NAME.bias` of every name, below each other.
    pub(crate) fn load(
        names: &[String],
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self {
            matrix: Matrix::load(names, weights, dtype, device)?,
            bias: weights.stacked(&ending(names, "bias"), DType::F32, device)?,
        })
    }

    /// `[tokens, in]` to `[tokens, out]`, without the bias.
    pub(crate) fn multiply(&self, x: &Tensor) -> CandleResult<Tensor> {
        self.matrix.multiply(x)
    }
}

fn ending(names: &[String], ending: &str) -> Vec<String> {
    names.iter().map(|name| format!("{name}.{ending}")).collect()
}
