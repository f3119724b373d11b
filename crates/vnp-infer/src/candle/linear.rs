//! Linear layers, whose bias is left to the step that follows.

use candle_core::{DType, Device, Result as CandleResult, Tensor};

use crate::architecture::plan::LinearPlan;
use crate::error::Error;
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
    /// The weights of a plan, stacked.
    pub(crate) fn load(
        plan: &LinearPlan,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self { weight: weights.stacked(&plan.weights(), dtype, device)? })
    }

    /// `[tokens, in]` to `[tokens, out]`.
    pub(crate) fn multiply(&self, x: &Tensor) -> CandleResult<Tensor> {
        x.matmul(&self.weight.t()?)
    }
}

impl Linear {
    /// The weights and biases of a plan, stacked.
    pub(crate) fn load(
        plan: &LinearPlan,
        weights: &dyn Provider,
        dtype: DType,
        device: &Device,
    ) -> Result<Self, Error> {
        Ok(Self {
            matrix: Matrix::load(plan, weights, dtype, device)?,
            bias: weights.stacked(&plan.biases(), DType::F32, device)?,
        })
    }

    /// `[tokens, in]` to `[tokens, out]`, without the bias.
    pub(crate) fn multiply(&self, x: &Tensor) -> CandleResult<Tensor> {
        self.matrix.multiply(x)
    }
}
