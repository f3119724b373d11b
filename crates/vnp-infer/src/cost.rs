//! The work that embedding takes, counted before it is done.

use crate::architecture::plan::Plan;

/// The work in embedding some sequences.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Tokens, including those that frame a sequence.
    pub tokens: u64,
    /// Floating-point operations of the matrix products, a multiply-add counting as two.
    pub flops: f64,
}

impl Cost {
    /// The work for sequences with these numbers of tokens: two operations per weight and token, and
    /// four per pair of tokens and hidden value in the attention.
    pub(crate) fn new(plan: &Plan, lengths: impl Iterator<Item = usize>) -> Self {
        let (layers, weights) = (plan.layers as f64, plan.layer_weights() as f64);
        lengths.fold(Self::default(), |sum, tokens| {
            let s = tokens as f64;
            let per_layer = 2.0 * weights * s + 4.0 * s * s * plan.hidden as f64;
            Self { tokens: sum.tokens + tokens as u64, flops: sum.flops + layers * per_layer }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::architecture::Architecture as _;
    use crate::testing::{dnabert_config, esm2_config};

    /// The figure of ESM-2 3B without its attention: 36 layers of 12 * 2560^2 weights.
    #[test]
    fn cost_counts_weights_and_pairs() {
        let plan = esm2_config(2560, 36, 40).plan();
        assert_eq!(plan.layer_weights(), 12 * 2560 * 2560);
        let Cost { tokens, flops } = Cost::new(&plan, [135, 135].into_iter());
        assert_eq!(tokens, 270);
        let per_token = flops / 270.0;
        assert!((per_token / 5.71e9 - 1.0).abs() < 0.01, "{per_token:e}");
        // A gate has weights of its own.
        assert_eq!(dnabert_config(24, 1, 3).plan().layer_weights(), (4 + 3 * 2) * 24 * 24);
    }
}
