//! Layer normalisation.

use candle_core::{DType, Device, Tensor};

use crate::error::Error;
use crate::weights::Provider;

/// Normalises the last dimension to mean 0 and variance 1, then scales and shifts it.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    /// `[hidden]`, f32
    pub(crate) weight: Tensor,
    /// `[hidden]`, f32
    pub(crate) bias: Tensor,
    /// Added to the variance.
    pub(crate) eps: f32,
}

impl LayerNorm {
    /// The tensors `NAME.weight` and `NAME.bias`.
    pub(crate) fn load(
        name: &str,
        eps: f32,
        weights: &dyn Provider,
        device: &Device,
    ) -> Result<Self, Error> {
        let tensor = |ending| weights.stacked(&[format!("{name}.{ending}")], DType::F32, device);
        Ok(Self { weight: tensor("weight")?, bias: tensor("bias")?, eps })
    }
}
