//! The gradient of a layer norm.

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, check};
use crate::portable::rows::{dot, sum_of};

/// The destinations of the gradients of a layer norm.
#[derive(Debug)]
pub struct NormGradient<'a> {
    /// `[rows, width]`, written
    pub input: &'a mut [f32],
    /// `[width]`, added to
    pub weight: &'a mut [f32],
    /// `[width]`, added to
    pub bias: &'a mut [f32],
}

/// The gradients of [`layer_norm`](crate::layer_norm) with respect to its input, weight and bias.
/// `input` and `output_gradient` are `[rows, width]`, `weight` is `[width]`.
///
/// # Errors
/// [`Error::Length`] for slices of other lengths.
pub fn layer_norm_gradient(
    input: &[f32],
    weight: &[f32],
    eps: f32,
    output_gradient: &[f32],
    gradient: NormGradient<'_>,
) -> Result<(), Error> {
    check("a row of a norm", input.len() % weight.len().max(1), 0)?;
    check("the gradient of a norm", output_gradient.len(), input.len())?;
    check("the gradient of a norm's input", gradient.input.len(), input.len())?;
    check("the gradient of a norm's weight", gradient.weight.len(), weight.len())?;
    check("the gradient of a norm's bias", gradient.bias.len(), weight.len())?;
    Arch::new().dispatch(Op { input, weight, eps, outer: output_gradient, gradient });
    Ok(())
}

struct Op<'a> {
    input: &'a [f32],
    weight: &'a [f32],
    eps: f32,
    outer: &'a [f32],
    gradient: NormGradient<'a>,
}

impl WithSimd for Op<'_> {
    type Output = ();

    /// With `n` the normalised row and `g = weight * outer`:
    /// `(g - mean(g) - n * mean(g * n)) / deviation`.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let NormGradient { input: inner, weight: of_weight, bias: of_bias } = self.gradient;
        let width = self.weight.len().max(1);
        let count = width as f32;
        let mut normed = vec![0.0; width];
        let rows = self.input.chunks_exact(width).zip(self.outer.chunks_exact(width));
        for ((row, outer), inner) in rows.zip(inner.chunks_exact_mut(width)) {
            let mean = sum_of(row, |x| x) / count;
            let variance = sum_of(row, |x| (x - mean) * (x - mean)) / count;
            let scale = 1.0 / (variance + self.eps).sqrt();
            for (normed, x) in normed.iter_mut().zip(row) {
                *normed = (x - mean) * scale;
            }
            for ((sum, outer), normed) in of_weight.iter_mut().zip(outer).zip(&normed) {
                *sum += outer * normed;
            }
            for (sum, outer) in of_bias.iter_mut().zip(outer) {
                *sum += outer;
            }
            for ((inner, outer), weight) in inner.iter_mut().zip(outer).zip(self.weight) {
                *inner = outer * weight;
            }
            let along = dot(inner, &normed) / count;
            let mean = sum_of(inner, |g| g) / count;
            for (inner, normed) in inner.iter_mut().zip(&normed) {
                *inner = (*inner - mean - normed * along) * scale;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::check_gradient;
    use crate::testing::random;
    use crate::{Cpu, layer_norm};

    #[test]
    fn gradients_are_those_of_the_function() {
        let (width, rows, eps) = (12, 5, 1e-5);
        let (x, weight, bias) = (random(1, rows * width), random(2, width), random(3, width));
        let outer = random(4, rows * width);
        let (mut of_x, mut of_weight, mut of_bias) =
            (vec![0.0; rows * width], vec![0.0; width], vec![0.0; width]);
        let gradient =
            NormGradient { input: &mut of_x, weight: &mut of_weight, bias: &mut of_bias };
        layer_norm_gradient(&x, &weight, eps, &outer, gradient).unwrap();
        let normed = |x: &[f32], weight: &[f32], bias: &[f32]| {
            let mut output = vec![0.0; x.len()];
            layer_norm(Cpu::portable(), x, &mut output, weight, bias, eps).unwrap();
            output
        };
        check_gradient(&x, &outer, &of_x, |x| normed(x, &weight, &bias));
        check_gradient(&weight, &outer, &of_weight, |weight| normed(&x, weight, &bias));
        check_gradient(&bias, &outer, &of_bias, |bias| normed(&x, &weight, bias));
    }
}
