//! Attention with linear biases (ALiBi), symmetric form.

use candle_core::{DType, Device, Result, Tensor};

/// The slopes of the distance penalty on a device.
#[derive(Debug, Clone)]
pub(crate) struct Alibi {
    /// `[heads]`, f32
    pub(crate) slopes: Tensor,
}

impl Alibi {
    /// The slopes of a layer with `heads` heads.
    pub(crate) fn new(heads: usize, device: &Device) -> Result<Self> {
        Ok(Self { slopes: Tensor::from_vec(slopes(heads), heads, device)? })
    }

    /// `-slope * |i - j|` as `[heads, length, length]`.
    pub(crate) fn score_bias(&self, length: usize) -> Result<Tensor> {
        let last = u32::try_from(length)?;
        let positions = Tensor::arange(0, last, self.slopes.device())?.to_dtype(DType::F32)?;
        let distances = positions.unsqueeze(0)?.broadcast_sub(&positions.unsqueeze(1)?)?.abs()?;
        distances.unsqueeze(0)?.broadcast_mul(&self.slopes.neg()?.reshape(((), 1, 1))?)
    }
}

/// The slopes of the ALiBi paper, one a head: for a power of two n the powers of `2^(-8/n)`;
/// otherwise those of the next lower power of two, then every other slope of twice that.
pub(crate) fn slopes(heads: usize) -> Vec<f32> {
    let lower = if heads.is_power_of_two() { heads } else { heads.next_power_of_two() / 2 };
    powers(lower).chain(powers(2 * lower).step_by(2)).take(heads).collect()
}

fn powers(heads: usize) -> impl Iterator<Item = f32> {
    (1..=heads).map(move |head| (-8.0 * head as f64 / heads as f64).exp2() as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(heads: usize, exponents: &[f64]) {
        let expected: Vec<f32> = exponents.iter().map(|e| (-e).exp2() as f32).collect();
        assert_eq!(slopes(heads), expected);
    }

    #[test]
    fn slopes_follow_the_paper() {
        check(1, &[8.]);
        check(2, &[4., 8.]);
        check(3, &[4., 8., 2.]);
        check(8, &[1., 2., 3., 4., 5., 6., 7., 8.]);
        check(12, &[1., 2., 3., 4., 5., 6., 7., 8., 0.5, 1.5, 2.5, 3.5]);
    }

    #[test]
    fn penalty_is_symmetric() {
        let bias = Alibi::new(2, &Device::Cpu).unwrap().score_bias(3).unwrap();
        let first = bias.get(0).unwrap().to_vec2::<f32>().unwrap();
        let slope = -(0.5_f32.powi(4));
        assert_eq!(first, [[0., slope, 2. * slope], [slope, 0., slope], [2. * slope, slope, 0.]]);
    }
}
