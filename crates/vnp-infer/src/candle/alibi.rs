//! Attention with linear biases (ALiBi), symmetric form, on a device.

use candle_core::{DType, Device, Result, Tensor};
use vnp_kernels::alibi_slopes;

/// The slopes of the distance penalty on a device.
#[derive(Debug, Clone)]
pub(crate) struct Alibi {
    /// `[heads]`, f32
    pub(crate) slopes: Tensor,
}

impl Alibi {
    /// The slopes of a layer with `heads` heads.
    pub(crate) fn new(heads: usize, device: &Device) -> Result<Self> {
        Ok(Self { slopes: Tensor::from_vec(alibi_slopes(heads), heads, device)? })
    }

    /// `-slope * |i - j|` as `[heads, length, length]`.
    pub(crate) fn score_bias(&self, length: usize) -> Result<Tensor> {
        let last = u32::try_from(length)?;
        let positions = Tensor::arange(0, last, self.slopes.device())?.to_dtype(DType::F32)?;
        let distances = positions.unsqueeze(0)?.broadcast_sub(&positions.unsqueeze(1)?)?.abs()?;
        distances.unsqueeze(0)?.broadcast_mul(&self.slopes.neg()?.reshape(((), 1, 1))?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn penalty_is_symmetric() {
        let bias = Alibi::new(2, &Device::Cpu).unwrap().score_bias(3).unwrap();
        let first = bias.get(0).unwrap().to_vec2::<f32>().unwrap();
        let slope = -(0.5_f32.powi(4));
        assert_eq!(first, [[0., slope, 2. * slope], [slope, 0., slope], [2. * slope, slope, 0.]]);
    }
}
