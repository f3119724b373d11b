//! GELU and gated units for training, and their gradients.

use std::f32::consts::{FRAC_1_SQRT_2, PI};

use pulp::{Arch, Simd, WithSimd};

use crate::error::{Error, check};
use crate::portable::elementwise::{self, erf, exp_of_negative};

/// Replaces every element by its GELU in the exact (erf) form.
pub fn gelu(values: &mut [f32]) {
    elementwise::gelu(values);
}

/// Multiplies each gradient of a GELU by the derivative at `x`.
///
/// # Errors
/// [`Error::Length`] for slices of different lengths.
pub fn gelu_gradient(x: &[f32], gradient: &mut [f32]) -> Result<(), Error> {
    struct Op<'a>(&'a [f32], &'a mut [f32]);

    impl WithSimd for Op<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for (gradient, x) in self.1.iter_mut().zip(self.0) {
                *gradient *= derivative(*x);
            }
        }
    }

    check("the gradient of a GELU", gradient.len(), x.len())?;
    Arch::new().dispatch(Op(x, gradient));
    Ok(())
}

/// For each row `[g | u]` of `gated`, `2 * width` wide, the row `gelu(g) * u` of `output`.
///
/// # Errors
/// [`Error::Length`] for slices of other lengths.
pub fn gated_gelu(gated: &[f32], output: &mut [f32], width: usize) -> Result<(), Error> {
    check_gated(gated, output.len(), width)?;
    elementwise::gated_gelu(gated, output, width);
    Ok(())
}

/// The gradient with respect to `gated` from that with respect to the output of [`gated_gelu`].
///
/// # Errors
/// [`Error::Length`] for slices of other lengths.
pub fn gated_gelu_gradient(
    gated: &[f32],
    output_gradient: &[f32],
    gated_gradient: &mut [f32],
    width: usize,
) -> Result<(), Error> {
    struct Op<'a> {
        gated: &'a [f32],
        outer: &'a [f32],
        inner: &'a mut [f32],
        width: usize,
    }

    impl WithSimd for Op<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let rows = self.gated.chunks_exact(2 * self.width);
            let inner = self.inner.chunks_exact_mut(2 * self.width);
            for ((row, outer), inner) in rows.zip(self.outer.chunks_exact(self.width)).zip(inner) {
                let (gate, up) = row.split_at(self.width);
                let (of_gate, of_up) = inner.split_at_mut(self.width);
                let values = gate.iter().zip(up).zip(outer);
                for ((of_gate, of_up), ((gate, up), outer)) in
                    of_gate.iter_mut().zip(of_up).zip(values)
                {
                    *of_gate = outer * up * derivative(*gate);
                    *of_up = outer * gate * normal(*gate);
                }
            }
        }
    }

    check_gated(gated, output_gradient.len(), width)?;
    check("the gradient of a gated unit", gated_gradient.len(), gated.len())?;
    Arch::new().dispatch(Op { gated, outer: output_gradient, inner: gated_gradient, width });
    Ok(())
}

fn check_gated(gated: &[f32], outputs: usize, width: usize) -> Result<(), Error> {
    check("a row of a gated unit", gated.len() % (2 * width).max(1), 0)?;
    check("the output of a gated unit", outputs, gated.len() / 2)
}

/// The cumulative distribution function of the normal distribution.
#[inline(always)]
fn normal(x: f32) -> f32 {
    0.5 + 0.5 * erf(x * FRAC_1_SQRT_2)
}

/// The derivative of `x * normal(x)`.
#[inline(always)]
fn derivative(x: f32) -> f32 {
    let density = exp_of_negative(-0.5 * x * x) * (1.0 / (2.0 * PI).sqrt());
    normal(x) + x * density
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::gradient::check_gradient;
    use crate::testing::random;

    #[test]
    fn gradients_are_those_of_the_function() {
        let x: Vec<f32> = random(1, 60).iter().map(|x| 3.0 * x).collect();
        let weights = random(2, 60);
        let mut gradient = weights.clone();
        gelu_gradient(&x, &mut gradient).unwrap();
        check_gradient(&x, &weights, &gradient, |x| {
            let mut y = x.to_vec();
            gelu(&mut y);
            y
        });
        let mut gradient = vec![0.0; 60];
        gated_gelu_gradient(&x, &weights[..30], &mut gradient, 5).unwrap();
        check_gradient(&x, &weights[..30], &gradient, |x| {
            let mut y = vec![0.0; 30];
            gated_gelu(x, &mut y, 5).unwrap();
            y
        });
    }

    #[test]
    fn slices_must_fit() {
        assert!(gelu_gradient(&[0.0; 2], &mut [0.0; 3]).is_err());
        assert!(gated_gelu(&[0.0; 9], &mut [0.0; 4], 2).is_err());
        assert!(gated_gelu(&[0.0; 8], &mut [0.0; 5], 2).is_err());
        assert!(gated_gelu_gradient(&[0.0; 8], &[0.0; 4], &mut [0.0; 7], 2).is_err());
    }
}
