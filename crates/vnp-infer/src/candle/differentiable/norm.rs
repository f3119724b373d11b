//! Residual sums and layer norms, and their gradients.

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Tensor, WithDType as _};
use rayon::prelude::*;
use vnp_kernels::gradient::{NormGradient, layer_norm_gradient};
use vnp_kernels::{Cpu, layer_norm};

use super::rows::{BLOCK, column_sums, total, values, with, with_both};

/// `residual + (product + bias)` of rows.
pub(super) struct AddUpdate;

impl CustomOp3 for AddUpdate {
    fn name(&self) -> &'static str {
        "add-update"
    }

    fn cpu_fwd(
        &self,
        residual: &CpuStorage,
        residual_layout: &Layout,
        product: &CpuStorage,
        product_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let mut sums = values(residual, residual_layout)?.to_vec();
        let (product, bias) = (values(product, product_layout)?, values(bias, bias_layout)?);
        let width = bias.len().max(1);
        sums.par_chunks_mut(BLOCK * width).zip(product.par_chunks(BLOCK * width)).for_each(
            |(sums, product)| {
                for (sums, product) in sums.chunks_exact_mut(width).zip(product.chunks_exact(width))
                {
                    for ((sum, x), bias) in sums.iter_mut().zip(product).zip(bias) {
                        *sum += x + bias;
                    }
                }
            },
        );
        Ok((f32::to_cpu_storage_owned(sums), residual_layout.shape().clone()))
    }

    fn bwd(
        &self,
        _: &Tensor,
        _: &Tensor,
        bias: &Tensor,
        _: &Tensor,
        outer: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let width = bias.elem_count();
        let sums = with(outer, |outer| Ok(column_sums(outer, width)))?;
        let of_bias = Tensor::from_vec(sums, width, bias.device())?;
        Ok((Some(outer.clone()), Some(outer.clone()), Some(of_bias)))
    }
}

/// The layer norm of rows.
pub(super) struct Norm {
    pub(super) eps: f32,
}

impl CustomOp3 for Norm {
    fn name(&self) -> &'static str {
        "norm"
    }

    fn cpu_fwd(
        &self,
        x: &CpuStorage,
        x_layout: &Layout,
        weight: &CpuStorage,
        weight_layout: &Layout,
        bias: &CpuStorage,
        bias_layout: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let x = values(x, x_layout)?;
        let (weight, bias) = (values(weight, weight_layout)?, values(bias, bias_layout)?);
        let mut output = vec![0.0; x.len()];
        let width = weight.len().max(1);
        x.par_chunks(BLOCK * width)
            .zip(output.par_chunks_mut(BLOCK * width))
            .try_for_each(|(x, output)| {
                layer_norm(Cpu::portable(), x, output, weight, bias, self.eps)
            })
            .map_err(candle_core::Error::wrap)?;
        Ok((f32::to_cpu_storage_owned(output), x_layout.shape().clone()))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        _: &Tensor,
        _: &Tensor,
        outer: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let width = weight.elem_count();
        let block = BLOCK * width.max(1);
        let mut inner = vec![0.0; x.elem_count()];
        let sums = with_both((x, outer), |x, outer| {
            with(weight, |weight| {
                x.par_chunks(block)
                    .zip(outer.par_chunks(block))
                    .zip(inner.par_chunks_mut(block))
                    .map(|((x, outer), inner)| {
                        let (mut of_weight, mut of_bias) = (vec![0.0; width], vec![0.0; width]);
                        let (weight_gradient, bias) = (&mut of_weight, &mut of_bias);
                        let gradient = NormGradient { input: inner, weight: weight_gradient, bias };
                        layer_norm_gradient(x, weight, self.eps, outer, gradient)?;
                        Ok((of_weight, of_bias))
                    })
                    .collect::<std::result::Result<(Vec<_>, Vec<_>), vnp_kernels::Error>>()
                    .map_err(candle_core::Error::wrap)
            })
        })?;
        let tensor =
            |blocks: &[Vec<f32>]| Tensor::from_vec(total(blocks, width), width, x.device());
        let inner = Tensor::from_vec(inner, x.shape(), x.device())?;
        Ok((Some(inner), Some(tensor(&sums.0)?), Some(tensor(&sums.1)?)))
    }
}
