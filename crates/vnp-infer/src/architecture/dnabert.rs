//! DNABERT-S and DNABERT-2: a post-norm transformer (MosaicBERT) with ALiBi over BPE tokens.
//!
//! Zhou et al., ICLR 2024 (DNABERT-2) and Bioinformatics 41, i255 (2025) (DNABERT-S); tensors are
//! named as in their checkpoints.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Architecture;
use super::check::{Check, gelu};
use super::plan::{Activation, Embedding, Heads, LayerNames, Norms, Plan, Position};
use super::shapes::{Shapes, published_heads};
use crate::error::Error;
use crate::tokenizer::dnabert::FRAMING_TOKENS;
use crate::weights::{Role, TensorSource, TensorSpec};

/// The hidden size of the published networks, and their number of heads.
const PUBLISHED_HEADS: [(usize, usize); 1] = [(768, 12)];

/// The `config.json` of a DNABERT-2 or DNABERT-S network (MosaicBERT). Any size is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DnabertConfig {
    /// Rows of the embedding table.
    pub vocab_size: usize,
    /// Rows of the token-type table, of which the first is used.
    #[serde(default = "default_types")]
    pub type_vocab_size: usize,
    /// Values in a token vector.
    pub hidden_size: usize,
    /// The number of layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides the hidden size.
    pub num_attention_heads: usize,
    /// Values inside the feed-forward, after gating.
    pub intermediate_size: usize,
    /// Added to variances in layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    /// Must be `gelu`, the exact form.
    #[serde(default = "gelu")]
    pub hidden_act: String,
}

impl DnabertConfig {
    /// The tensors that a network of this size needs.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + use<> {
        self.plan().tensors()
    }
}

impl Architecture for DnabertConfig {
    fn check(&self, file: &str) -> Result<(), Error> {
        let check = Check { file };
        check.at_least("vocab_size", 1, self.vocab_size)?;
        check.at_least("type_vocab_size", 1, self.type_vocab_size)?;
        check.at_least("hidden_size", 1, self.hidden_size)?;
        check.at_least("intermediate_size", 1, self.intermediate_size)?;
        check.at_least("num_attention_heads", 1, self.num_attention_heads)?;
        check.positive("layer_norm_eps", self.layer_norm_eps)?;
        check.that(
            self.hidden_size.is_multiple_of(self.num_attention_heads),
            "num_attention_heads",
            || format!("a divisor of {}", self.hidden_size),
            &self.num_attention_heads,
        )?;
        check.text("hidden_act", "gelu", &self.hidden_act)
    }

    fn plan(&self) -> Plan {
        Plan {
            hidden: self.hidden_size,
            inner: self.intermediate_size,
            heads: Heads::new(self.num_attention_heads, self.hidden_size),
            layers: self.num_hidden_layers,
            eps: self.layer_norm_eps as f32,
            norms: Norms::Post { embedding: "embeddings.LayerNorm" },
            position: Position::Alibi,
            activation: Activation::GatedGelu,
            embedding: Embedding {
                table: "embeddings.word_embeddings.weight",
                vocabulary: self.vocab_size,
                types: Some(("embeddings.token_type_embeddings.weight", self.type_vocab_size)),
                dropout: None,
            },
            names: LayerNames {
                attention_norm: "attention.output.LayerNorm",
                qkv: &["attention.self.Wqkv"],
                output: "attention.output.dense",
                feed_forward_norm: "mlp.layernorm",
                up: "mlp.gated_layers",
                down: "mlp.wo",
            },
            pooled,
        }
    }

    fn role(name: &str) -> Role {
        const UNUSED: [&str; 4] = ["pooler.", "cls.", "classifier.", "embeddings.position_"];
        let name = name.strip_prefix("bert.").unwrap_or(name);
        if UNUSED.iter().any(|prefix| name.starts_with(prefix)) {
            Role::Unused
        } else {
            Role::Used(name.to_owned())
        }
    }

    fn from_tensors(source: &dyn TensorSource) -> Result<Self, Error> {
        let file = Shapes { source, prefix: "bert." };
        let [vocab_size, hidden_size] = file.matrix("embeddings.word_embeddings.weight")?;
        let [type_vocab_size, _] = file.matrix("embeddings.token_type_embeddings.weight")?;
        let [_, intermediate_size] = file.matrix("encoder.layer.0.mlp.wo.weight")?;
        let heads = published_heads(&PUBLISHED_HEADS, hidden_size);
        Ok(Self {
            vocab_size,
            type_vocab_size,
            hidden_size,
            num_hidden_layers: file.layers(),
            num_attention_heads: heads.ok_or_else(|| file.heads_unknown())?,
            intermediate_size,
            layer_norm_eps: default_eps(),
            hidden_act: gelu(),
        })
    }
}

/// All tokens, `[CLS]` and `[SEP]` included; none of an empty sequence.
fn pooled(tokens: usize) -> Range<usize> {
    0..if tokens > FRAMING_TOKENS { tokens } else { 0 }
}

fn default_types() -> usize {
    2
}

fn default_eps() -> f64 {
    1e-12
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::zeros;

    #[test]
    fn sizes_by_the_tensors() {
        let config = |hidden: usize, prefix: &str| {
            let shapes = [
                ("embeddings.word_embeddings.weight", vec![40, hidden]),
                ("embeddings.token_type_embeddings.weight", vec![2, hidden]),
                ("encoder.layer.0.mlp.wo.weight", vec![hidden, 6]),
                ("encoder.layer.1.mlp.wo.weight", vec![hidden, 6]),
            ];
            let named = shapes.map(|(name, shape)| (format!("{prefix}{name}"), shape));
            DnabertConfig::from_tensors(&zeros(named))
        };
        let found = config(768, "bert.").unwrap();
        assert_eq!(found, config(768, "").unwrap());
        assert_eq!((found.vocab_size, found.type_vocab_size), (40, 2));
        assert_eq!((found.hidden_size, found.num_attention_heads), (768, 12));
        assert_eq!((found.intermediate_size, found.num_hidden_layers), (6, 2));
        let Err(Error::Config { field: "num_attention_heads", .. }) = config(96, "") else {
            panic!("heads out of nowhere")
        };
    }
}
