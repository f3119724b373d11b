//! GELU and the exponential, in code the compiler vectorises.
//!
//! No fused multiply-add is used here, so these functions give the same bits on every instruction
//! set.

use std::f32::consts::{FRAC_1_SQRT_2, LN_2, LOG2_E};

use pulp::{Arch, Simd, WithSimd};

/// Replaces every element by its GELU, `x / 2 * (1 + erf(x / sqrt 2))`: the exact form, within
/// 2e-6 absolutely. NaN maps to NaN.
pub(crate) fn gelu(values: &mut [f32]) {
    struct Op<'a>(&'a mut [f32]);

    impl WithSimd for Op<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            for value in self.0 {
                *value = gelu_of(*value);
            }
        }
    }

    Arch::new().dispatch(Op(values));
}

/// The gated unit of one feed-forward layer: for each row `[g | u]` of `gated` the row
/// `gelu(g) * u` of `output`. `gated` has rows of twice `width`, `output` of `width`.
pub(crate) fn gated_gelu(gated: &[f32], output: &mut [f32], width: usize) {
    struct Op<'a> {
        gated: &'a [f32],
        output: &'a mut [f32],
        width: usize,
    }

    impl WithSimd for Op<'_> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) {
            let rows = self.gated.chunks_exact(2 * self.width);
            for (row, output) in rows.zip(self.output.chunks_exact_mut(self.width)) {
                let (gate, up) = row.split_at(self.width);
                for ((output, gate), up) in output.iter_mut().zip(gate).zip(up) {
                    *output = gelu_of(*gate) * up;
                }
            }
        }
    }

    Arch::new().dispatch(Op { gated, output, width });
}

#[inline(always)]
fn gelu_of(x: f32) -> f32 {
    0.5 * x * (1.0 + erf(x * FRAC_1_SQRT_2))
}

/// The error function by the rational approximation of Eigen and XLA: odd in `x`, P(x^2)/Q(x^2)
/// on [-4, 4], beyond which it is -1 or 1 in f32.
#[inline(always)]
pub(crate) fn erf(x: f32) -> f32 {
    let bounded = x.clamp(-4.0, 4.0);
    let square = bounded * bounded;
    let mut p = -2.726_142_3e-10;
    p = p * square + 2.770_681_5e-8;
    p = p * square - 2.101_024e-6;
    p = p * square - 5.692_506_5e-5;
    p = p * square - 7.349_906_3e-4;
    p = p * square - 2.954_6e-3;
    p = p * square - 1.609_603_3e-2;
    let mut q = -1.456_607_2e-5;
    q = q * square - 2.133_740_5e-4;
    q = q * square - 1.682_827e-3;
    q = q * square - 7.373_329e-3;
    q = q * square - 1.426_474e-2;
    let erf = bounded * p / q;
    // Beyond the interval exactly one, so that the GELU of a large negative number is zero.
    if x.abs() >= 4.0 { 1.0_f32.copysign(x) } else { erf }
}

/// `e^x` for `x <= 0`, within 2e-7 relatively (Cephes' polynomial); practically zero below -87.
#[inline(always)]
pub(crate) fn exp_of_negative(x: f32) -> f32 {
    /// Adding this leaves the nearest integer in the lowest bits of a float.
    const ROUND: f32 = 12_582_912.0;
    /// LN_2 in two parts, the first with few bits, so that the reduction is exact.
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = LN_2_HIGH - LN_2;
    let bounded = x.clamp(-87.0, 0.0);
    let rounded = bounded * LOG2_E + ROUND;
    let n = rounded - ROUND;
    let r = bounded - n * LN_2_HIGH + n * LN_2_LOW;
    let mut p = 1.987_569_1e-4;
    p = p * r + 1.398_199_9e-3;
    p = p * r + 8.333_452e-3;
    p = p * r + 4.166_579_6e-2;
    p = p * r + 1.666_666_5e-1;
    p = p * r + 0.5;
    let power = p * r * r + r + 1.0;
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    power * scale
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::erf;

    fn grid() -> impl Iterator<Item = f32> {
        (-120_000..=120_000_i32).map(|step| step as f32 * 1e-4)
    }

    #[test]
    fn gelu_is_the_exact_form() {
        let mut values: Vec<f32> = grid().collect();
        gelu(&mut values);
        let worst = grid()
            .zip(&values)
            .map(|(x, found)| {
                let x = f64::from(x);
                let exact = 0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2));
                (exact - f64::from(*found)).abs()
            })
            .fold(0.0, f64::max);
        assert!(worst < 2e-6, "{worst:e}");
    }

    #[test]
    fn gelu_far_out() {
        let mut values = [-1e30, -1e4, 1e4, 1e30, f32::NAN, 0.0];
        gelu(&mut values);
        assert_eq!(values[..4], [0.0, 0.0, 1e4, 1e30]);
        assert!(values[4].is_nan());
        assert_eq!(values[5], 0.0);
    }

    #[test]
    fn gate_is_the_first_half() {
        let mut output = [0.0; 2];
        gated_gelu(&[10.0, -10.0, 2.0, 3.0], &mut output, 2);
        assert_eq!(output, [20.0, 0.0]);
    }

    #[test]
    fn exponential_is_close() {
        let worst = grid()
            .filter(|x| *x <= 0.0)
            .map(|x| {
                let exact = f64::from(x).exp();
                (exact - f64::from(exp_of_negative(x))).abs() / exact
            })
            .fold(0.0, f64::max);
        assert!(worst < 2e-7, "{worst:e}");
        assert_eq!(exp_of_negative(0.0), 1.0);
        assert!(exp_of_negative(f32::NEG_INFINITY) < 1e-37);
        assert!(exp_of_negative(f32::NAN).is_nan());
    }
}
