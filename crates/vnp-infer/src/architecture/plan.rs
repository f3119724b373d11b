//! The layer plan of a transformer encoder: the steps that it computes, and the names and shapes of
//! their tensors.

use std::ops::Range;

use half::f16;

use crate::error::Error;
use crate::weights::{Provider, TensorSpec};

/// A transformer encoder: token vectors, layers of attention and feed-forward, a mean.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Plan {
    /// Values in a token vector.
    pub(crate) hidden: usize,
    /// Values inside the feed-forward, after gating.
    pub(crate) inner: usize,
    /// The attention heads of each layer.
    pub(crate) heads: Heads,
    /// The number of layers.
    pub(crate) layers: usize,
    /// Added to variances in layer norms.
    pub(crate) eps: f32,
    /// The position of the norms.
    pub(crate) norms: Norms,
    /// How attention takes positions into account.
    pub(crate) position: Position,
    /// The non-linearity of the feed-forward.
    pub(crate) activation: Activation,
    /// From token ids to token vectors.
    pub(crate) embedding: Embedding,
    /// The tensors of a layer, below `encoder.layer.N.`.
    pub(crate) names: LayerNames,
    /// The positions, of a sequence with this many tokens, whose vectors are averaged to the
    /// embedding; empty for a sequence without a residue or base.
    pub(crate) pooled: fn(usize) -> Range<usize>,
}

/// The number and size of attention heads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Heads {
    /// Heads in a layer.
    pub(crate) count: usize,
    /// Values in a head.
    pub(crate) size: usize,
}

/// The position of the norms in a layer, and the one norm that does not belong to a layer.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Norms {
    /// Pre-norm: `x + f(norm(x))`, and a norm after the last layer.
    Pre { last: &'static str },
    /// Post-norm: `norm(x + f(x))`, and a norm of the token vectors before the first layer.
    Post { embedding: &'static str },
}

/// How attention takes positions into account.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Position {
    /// Queries and keys are rotated by their position, up to `tokens` of a sequence. `frequencies`
    /// names the optional tensor of inverse frequencies.
    Rotary { frequencies: &'static str, tokens: usize },
    /// Scores fall with the distance (ALiBi, symmetric).
    Alibi,
}

/// The non-linearity of a feed-forward; both use the exact (erf) GELU.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Activation {
    /// `gelu(up(x))`.
    Gelu,
    /// `[g | u] = up(x)`, `gelu(g) * u`. The gate is the first half; there is no bias.
    GatedGelu,
}

/// From token ids to the vectors before the first layer.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Embedding {
    /// The table of token vectors, `[vocabulary, hidden]`.
    pub(crate) table: &'static str,
    /// Rows of the table.
    pub(crate) vocabulary: usize,
    /// A table of token types and its number of rows; the first row is added to every token vector.
    pub(crate) types: Option<(&'static str, usize)>,
    /// How token vectors are scaled, in a network that was trained with token dropout.
    pub(crate) dropout: Option<TokenDropout>,
}

/// The scale of token vectors after training with token dropout: masked tokens are zero, and the
/// others are scaled by the share of tokens kept in training over the share not masked here.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TokenDropout {
    /// The id of a masked token.
    pub(crate) mask: u32,
    /// The share of tokens that training left in place.
    pub(crate) kept: f32,
}

/// The names of a layer's parts. The tensors of a linear layer or norm are `NAME.weight` and
/// `NAME.bias`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LayerNames {
    pub(crate) attention_norm: &'static str,
    /// Queries, keys and values: one linear layer, or three to be stacked.
    pub(crate) qkv: &'static [&'static str],
    pub(crate) output: &'static str,
    pub(crate) feed_forward_norm: &'static str,
    pub(crate) up: &'static str,
    pub(crate) down: &'static str,
}

/// One layer of a plan, its names in full.
#[derive(Debug, Clone)]
pub(crate) struct LayerPlan {
    pub(crate) attention_norm: String,
    /// hidden to `query | key | value`
    pub(crate) qkv: LinearPlan,
    /// hidden to hidden
    pub(crate) output: LinearPlan,
    pub(crate) feed_forward_norm: String,
    /// hidden to inner, or to `gate | value` of twice as many
    pub(crate) up: LinearPlan,
    /// inner to hidden
    pub(crate) down: LinearPlan,
}

/// A linear layer whose rows are those of one or more linear layers of the checkpoint, stacked.
#[derive(Debug, Clone)]
pub(crate) struct LinearPlan {
    pub(crate) names: Vec<String>,
    /// The outputs of all of them together.
    pub(crate) outputs: usize,
    pub(crate) inputs: usize,
    pub(crate) has_bias: bool,
}

impl Heads {
    /// The heads of token vectors with `hidden` values.
    pub(crate) fn new(count: usize, hidden: usize) -> Self {
        Self { count, size: hidden / count.max(1) }
    }

    /// What queries are multiplied by.
    pub(crate) fn scale(self) -> f32 {
        1.0 / (self.size as f32).sqrt()
    }
}

impl TokenDropout {
    /// The share of a sequence's tokens that are not masked.
    pub(crate) fn not_masked(self, ids: &[u32]) -> f32 {
        let masks = ids.iter().filter(|id| **id == self.mask).count();
        1.0 - masks as f32 / ids.len() as f32
    }
}

impl Plan {
    /// The layer with this index.
    pub(crate) fn layer(&self, index: usize) -> LayerPlan {
        let (hidden, inner, names) = (self.hidden, self.inner, &self.names);
        let named = |name: &str| format!("encoder.layer.{index}.{name}");
        let linear = |parts: &[&str], outputs, inputs, has_bias| LinearPlan {
            names: parts.iter().map(|part| named(part)).collect(),
            outputs,
            inputs,
            has_bias,
        };
        let (up_outputs, up_has_bias) = match self.activation {
            Activation::Gelu => (inner, true),
            Activation::GatedGelu => (2 * inner, false),
        };
        LayerPlan {
            attention_norm: named(names.attention_norm),
            qkv: linear(names.qkv, 3 * hidden, hidden, true),
            output: linear(&[names.output], hidden, hidden, true),
            feed_forward_norm: named(names.feed_forward_norm),
            up: linear(&[names.up], up_outputs, hidden, up_has_bias),
            down: linear(&[names.down], hidden, inner, true),
        }
    }

    /// The tensors that the network needs, in the order of the published checkpoints.
    pub(crate) fn tensors(self) -> impl Iterator<Item = TensorSpec> {
        let Self { hidden, embedding, .. } = self;
        let table = move |(name, rows)| TensorSpec::new(name, [rows, hidden]);
        let tables = [Some((embedding.table, embedding.vocabulary)), embedding.types];
        let layers = (0..self.layers).flat_map(move |index| self.layer_tensors(index));
        let (first_norm, last_norm) = match self.norms {
            Norms::Pre { last } => (Vec::new(), norm_tensors(last, hidden)),
            Norms::Post { embedding } => (norm_tensors(embedding, hidden), Vec::new()),
        };
        let tables = tables.into_iter().flatten().map(table);
        tables.chain(first_norm).chain(layers).chain(last_norm)
    }

    fn layer_tensors(&self, index: usize) -> Vec<TensorSpec> {
        let LayerPlan { attention_norm, qkv, output, feed_forward_norm, up, down } =
            self.layer(index);
        let attention = [qkv.tensors(), output.tensors()].concat();
        let feed_forward = [up.tensors(), down.tensors()].concat();
        let attention_norm = norm_tensors(&attention_norm, self.hidden);
        let feed_forward_norm = norm_tensors(&feed_forward_norm, self.hidden);
        match self.norms {
            Norms::Pre { .. } => [attention_norm, attention, feed_forward_norm, feed_forward],
            Norms::Post { .. } => [attention, feed_forward, attention_norm, feed_forward_norm],
        }
        .concat()
    }

    /// The tensors that a checkpoint may hold or not.
    pub(crate) fn optional_tensors(&self) -> Option<TensorSpec> {
        match self.position {
            Position::Rotary { frequencies, .. } => {
                Some(TensorSpec::new(frequencies, [self.heads.size / 2]))
            }
            Position::Alibi => None,
        }
    }

    /// Weights of the linear layers of one layer.
    pub(crate) fn layer_weights(&self) -> usize {
        let LayerPlan { qkv, output, up, down, .. } = self.layer(0);
        [qkv, output, up, down].iter().map(|linear| linear.outputs * linear.inputs).sum()
    }

    /// The inverse frequencies of rotary positions: those of the checkpoint's tensor `name`, or the
    /// default ones where it has none.
    pub(crate) fn inverse_frequencies(
        &self,
        name: &str,
        weights: &dyn Provider,
    ) -> Result<Vec<f32>, Error> {
        let stored = weights.values(name)?;
        Ok(stored.unwrap_or_else(|| default_inverse_frequencies(self.heads.size)))
    }
}

impl LinearPlan {
    /// The names of the weights, in the order in which they are stacked.
    pub(crate) fn weights(&self) -> Vec<String> {
        self.names.iter().map(|name| format!("{name}.weight")).collect()
    }

    /// The names of the biases.
    pub(crate) fn biases(&self) -> Vec<String> {
        self.names.iter().map(|name| format!("{name}.bias")).collect()
    }

    fn tensors(&self) -> Vec<TensorSpec> {
        let rows = self.outputs / self.names.len().max(1);
        let tensors = self.names.iter().flat_map(|name| {
            let weight = TensorSpec::new(format!("{name}.weight"), [rows, self.inputs]);
            let bias = self.has_bias.then(|| TensorSpec::new(format!("{name}.bias"), [rows]));
            std::iter::once(weight).chain(bias)
        });
        tensors.collect()
    }
}

fn norm_tensors(name: &str, hidden: usize) -> Vec<TensorSpec> {
    ["weight", "bias"].map(|part| TensorSpec::new(format!("{name}.{part}"), [hidden])).to_vec()
}

/// The frequencies of a checkpoint that stores none: `10000^(-2i / head size)`, rounded through
/// half precision as in every released checkpoint, which both reference libraries load.
pub(crate) fn default_inverse_frequencies(head_size: usize) -> Vec<f32> {
    (0..head_size / 2)
        .map(|i| {
            let exponent = (2 * i) as f32 / head_size as f32;
            f16::from_f32(1.0 / 10_000_f32.powf(exponent)).to_f32()
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frequencies_are_rounded_through_half_precision() {
        let found = default_inverse_frequencies(8);
        assert_eq!(found, [1.0, 0.1, 0.01, 0.001].map(|x| f16::from_f32(x).to_f32()));
        assert_ne!(found[1], 0.1);
    }
}
