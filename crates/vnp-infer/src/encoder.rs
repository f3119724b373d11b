//! Encoders: sequences in, one embedding a sequence out.

pub(crate) mod absent;
pub(crate) mod config;
pub(crate) mod dnabert;
pub(crate) mod esm2;
pub(crate) mod infer;

use crate::{DeviceSpec, Error, Precision};

/// Something that turns sequences into embeddings.
pub trait Encoder: Send + Sync {
    /// What messages and records call it: `esm2`, `dnabert-s`.
    fn name(&self) -> &str;

    /// The number of values in an embedding.
    fn hidden_size(&self) -> usize;

    /// The embeddings of `sequences`, `[sequences, hidden_size]` row-major, in their order.
    ///
    /// Work is spread over the current rayon pool. On CPU a row depends on its sequence alone, bit
    /// for bit. A row that cannot be computed (an empty sequence, numbers beyond the precision)
    /// holds NaN or infinity, and the others are unharmed.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`] where a single sequence is too much for the device, and
    /// [`Error::Compute`] when the device fails otherwise.
    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, Error>;

    /// What embedding `sequences` takes; nothing where an encoder cannot tell.
    ///
    /// # Errors
    /// A sequence that cannot be cut into tokens.
    fn cost(&self, sequences: &[&str]) -> Result<Cost, Error> {
        let _ = sequences;
        Ok(Cost::default())
    }
}

/// Letters whose tokens are made while a device computes those before.
const GROUP_LETTERS: usize = 1 << 18;

/// Cuts sequences into groups of some hundred thousand letters.
pub(crate) fn groups<'a>(sequences: &'a [&'a str]) -> impl Iterator<Item = &'a [&'a str]> {
    let mut rest = sequences;
    std::iter::from_fn(move || {
        let mut letters = 0;
        let is_full = |sequence: &&str| {
            letters += sequence.len();
            letters >= GROUP_LETTERS
        };
        let end = rest.iter().position(is_full).map_or(rest.len(), |last| last + 1);
        let (group, after) = rest.split_at_checked(end)?;
        rest = after;
        (!group.is_empty()).then_some(group)
    })
}

/// The work in embedding some sequences.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Cost {
    /// Tokens, those that frame a sequence included.
    pub tokens: u64,
    /// Floating-point operations of the matrix products, a multiply-add counting as two.
    pub flops: f64,
}

/// The size of a transformer, as far as its work depends on it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) layers: usize,
    pub(crate) hidden: usize,
    /// Weights of the linear layers of one layer.
    pub(crate) weights: usize,
}

impl Size {
    /// The work for sequences of these many tokens: two operations a weight and token, and four a
    /// pair of tokens and hidden value in the attention.
    pub(crate) fn cost(self, lengths: impl Iterator<Item = usize>) -> Cost {
        let (layers, weights) = (self.layers as f64, self.weights as f64);
        lengths.fold(Cost::default(), |sum, tokens| {
            let s = tokens as f64;
            let a_layer = 2.0 * weights * s + 4.0 * s * s * self.hidden as f64;
            Cost { tokens: sum.tokens + tokens as u64, flops: sum.flops + layers * a_layer }
        })
    }
}

/// How a model is to be loaded and run.
#[derive(Debug, Clone)]
pub struct ModelOptions {
    /// The device.
    pub device: DeviceSpec,
    /// The number format of weights and activations; not every CPU computes in bf16, and none in f16.
    pub precision: Precision,
    /// Tokens in one pack of proteins on a device, halved there where its memory is too small; on
    /// CPU packs have a size of their own and this has no effect.
    pub esm2_batch_tokens: usize,
    /// The same for nucleotide sequences.
    pub dnabert_batch_tokens: usize,
}

impl Default for ModelOptions {
    /// The best device, f32, 16,384 tokens a pack.
    fn default() -> Self {
        Self {
            device: DeviceSpec::Auto,
            precision: Precision::F32,
            esm2_batch_tokens: 16_384,
            dnabert_batch_tokens: 16_384,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_groups(lengths: &[usize], expected: &[usize]) {
        let texts: Vec<String> = lengths.iter().map(|length| "A".repeat(*length)).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        let found: Vec<&[&str]> = groups(&texts).collect();
        assert_eq!(found.iter().map(|group| group.len()).collect::<Vec<_>>(), expected);
        assert_eq!(found.concat(), texts);
    }

    #[test]
    fn groups_hold_every_sequence() {
        check_groups(&[], &[]);
        check_groups(&[0], &[1]);
        check_groups(&[5, 6], &[2]);
        check_groups(&[GROUP_LETTERS, 1, GROUP_LETTERS - 1, 1], &[1, 2, 1]);
        check_groups(&[GROUP_LETTERS + 1, GROUP_LETTERS], &[1, 1]);
    }

    /// The figure of ESM-2 3B without its attention: 36 layers of 12 * 2560^2 weights.
    #[test]
    fn cost_counts_weights_and_pairs() {
        let size = Size { layers: 36, hidden: 2560, weights: 12 * 2560 * 2560 };
        let Cost { tokens, flops } = size.cost([135, 135].into_iter());
        assert_eq!(tokens, 270);
        let a_token = flops / 270.0;
        assert!((a_token / 5.71e9 - 1.0).abs() < 0.01, "{a_token:e}");
    }
}
