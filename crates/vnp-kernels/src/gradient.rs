//! The steps between matrix products with their gradients, for training.
//!
//! Portable code on the calling thread; every row or sequence is computed separately, so that callers
//! can distribute them over threads. Gradients of weights are accumulated in row order.

mod attention;
mod gelu;
mod norm;

pub use attention::PreparedHeads;
pub use gelu::{gated_gelu, gated_gelu_gradient, gelu, gelu_gradient};
pub use norm::{NormGradient, layer_norm_gradient};

/// Compares a gradient of `sum(weights * f(x))` with differences of `f` along random directions.
#[cfg(test)]
fn check_gradient(x: &[f32], weights: &[f32], gradient: &[f32], f: impl Fn(&[f32]) -> Vec<f32>) {
    let dot = |a: &[f32], b: &[f32]| -> f64 {
        assert_eq!(a.len(), b.len());
        a.iter().zip(b).map(|(a, b)| f64::from(*a) * f64::from(*b)).sum()
    };
    for seed in 50..55 {
        let direction = crate::testing::random(seed, x.len());
        let value = |step: f32| {
            let moved: Vec<f32> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
            dot(&f(&moved), weights)
        };
        let found = (value(1e-2) - value(-1e-2)) / 2e-2;
        let predicted = dot(gradient, &direction);
        assert!((found - predicted).abs() < 5e-3 * found.abs().max(1.0), "{found} {predicted}");
    }
}
