//! The activations of the feed-forward, and their gradients.

use candle_core::{
    CpuStorage, CustomOp1, CustomOp2, Layout, Result, Shape, Tensor, WithDType as _,
};
use rayon::prelude::*;
use vnp_kernels::gradient;

use super::rows::{BLOCK, column_sums, values, with, with_both};

/// `gelu(x + bias)` of rows.
pub(super) struct BiasGelu;

impl CustomOp2 for BiasGelu {
    fn name(&self) -> &'static str {
        "bias-gelu"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut sums = biased(values(x, x_layout)?, values(bias, bias_layout)?);
        sums.par_chunks_mut(BLOCK * 64).for_each(gradient::gelu);
        Ok((f32::to_cpu_storage_owned(sums), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        outer: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>)> {
        let sums = with_both((x, bias), |x, bias| Ok(biased(x, bias)))?;
        let mut inner = with(outer, |outer| Ok(outer.to_vec()))?;
        sums.par_chunks(BLOCK * 64)
            .zip(inner.par_chunks_mut(BLOCK * 64))
            .try_for_each(|(x, gradient)| gradient::gelu_gradient(x, gradient))
            .map_err(candle_core::Error::wrap)?;
        let width = bias.elem_count();
        let of_bias = Tensor::from_vec(column_sums(&inner, width), width, x.device())?;
        Ok((Some(Tensor::from_vec(inner, x.shape(), x.device())?), Some(of_bias)))
    }
}

/// `x + bias` of rows.
fn biased(x: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut sums = x.to_vec();
    let width = bias.len().max(1);
    sums.par_chunks_mut(BLOCK * width).for_each(|block| {
        for row in block.chunks_exact_mut(width) {
            row.iter_mut().zip(bias).for_each(|(x, bias)| *x += bias);
        }
    });
    sums
}

/// `gelu(gate) * value` of rows `gate | value`.
pub(super) struct GatedGelu;

impl CustomOp1 for GatedGelu {
    fn name(&self) -> &'static str {
        "gated-gelu"
    }

    fn cpu_fwd(&self, x: &CpuStorage, layout: &Layout) -> Result<(CpuStorage, Shape)> {
        let (rows, width) = layout.shape().dims2()?;
        let (x, half) = (values(x, layout)?, width / 2);
        let mut output = vec![0.0; rows * half];
        x.par_chunks(BLOCK * width)
            .zip(output.par_chunks_mut(BLOCK * half))
            .try_for_each(|(x, output)| gradient::gated_gelu(x, output, half))
            .map_err(candle_core::Error::wrap)?;
        Ok((f32::to_cpu_storage_owned(output), Shape::from((rows, half))))
    }

    fn bwd(&self, x: &Tensor, _: &Tensor, outer: &Tensor) -> Result<Option<Tensor>> {
        let (rows, width) = x.dims2()?;
        let half = width / 2;
        let mut inner = vec![0.0; rows * width];
        with_both((x, outer), |x, outer| {
            x.par_chunks(BLOCK * width)
                .zip(outer.par_chunks(BLOCK * half))
                .zip(inner.par_chunks_mut(BLOCK * width))
                .try_for_each(|((x, outer), inner)| {
                    gradient::gated_gelu_gradient(x, outer, inner, half)
                })
                .map_err(candle_core::Error::wrap)
        })?;
        Ok(Some(Tensor::from_vec(inner, x.shape(), x.device())?))
    }
}
