//! The feed-forward half of a layer.

use candle_core::{D, Result, Tensor};

use super::linear::Linear;
use crate::kernel::{Kernels, compute, elementwise};

/// The two forms of feed-forward. Both use the exact (erf) GELU.
#[derive(Debug, Clone)]
pub(crate) enum FeedForward {
    /// ESM-2: `down(gelu(up(x)))`.
    Plain {
        /// hidden to intermediate
        up: Linear,
        /// intermediate to hidden
        down: Linear,
    },
    /// MosaicBERT: `[g | u] = gated(x)`, `down(gelu(g) * u)`. The gate is the first half.
    Gated {
        /// hidden to twice intermediate
        gated: Linear,
        /// intermediate to hidden
        down: Linear,
    },
}

impl FeedForward {
    /// The feed-forward of `x` added to `residual`, all `[batch, length, hidden]`.
    pub(crate) fn forward_add(
        &self,
        x: &Tensor,
        residual: &Tensor,
        kernels: Kernels,
    ) -> Result<Tensor> {
        match self {
            Self::Plain { up, down } => {
                let inner = gelu(&up.forward(x, kernels)?, kernels)?;
                down.forward_add(&inner, residual, kernels)
            }
            Self::Gated { gated, down } => {
                let inner = gated_gelu(&gated.forward(x, kernels)?, kernels)?;
                down.forward_add(&inner, residual, kernels)
            }
        }
    }
}

fn gelu(x: &Tensor, kernels: Kernels) -> Result<Tensor> {
    match kernels {
        Kernels::Own => compute([x], x.shape(), |[x], output| {
            output.copy_from_slice(x);
            elementwise::gelu(output);
            Ok(())
        }),
        Kernels::Candle => x.gelu_erf(),
    }
}

fn gated_gelu(x: &Tensor, kernels: Kernels) -> Result<Tensor> {
    let (batch, length, width) = x.dims3()?;
    let half = width / 2;
    match kernels {
        Kernels::Own => compute([x], (batch, length, half), |[x], output| {
            elementwise::gated_gelu(x, output, half);
            Ok(())
        }),
        Kernels::Candle => {
            let gate = x.narrow(D::Minus1, 0, half)?.contiguous()?;
            gate.gelu_erf()? * x.narrow(D::Minus1, half, half)?
        }
    }
}
