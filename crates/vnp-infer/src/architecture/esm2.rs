//! ESM-2: a pre-norm transformer with rotary positions over residues.
//!
//! Lin et al., Science 379, 1123 (2023); tensors are named as in transformers' `EsmModel`.

use std::ops::Range;

use serde::{Deserialize, Serialize};

use super::Architecture;
use super::check::{Check, gelu};
use super::plan::{Activation, Embedding, Heads, LayerNames, Norms, Plan, Position, TokenDropout};
use super::shapes::{Shapes, published_heads};
use crate::error::Error;
use crate::tokenizer::esm2::{ALPHABET_SIZE, MASK, MAX_RESIDUES};
use crate::weights::{Role, TensorSource, TensorSpec};

/// The share of tokens that training left in place: 1 - 0.15 * 0.8. Token vectors are scaled by it
/// at inference too.
const KEPT_IN_TRAINING: f32 = 0.88;
/// The rotary frequencies in a bundle; checkpoints may also store one copy per layer.
const INVERSE_FREQUENCIES: &str = "rotary_embeddings.inv_freq";
/// The hidden sizes of the published networks, t6 to t48, and their numbers of heads.
const PUBLISHED_HEADS: [(usize, usize); 6] =
    [(320, 20), (480, 20), (640, 20), (1280, 20), (2560, 40), (5120, 40)];

/// The `config.json` of an ESM-2 network: the fields of a transformers `EsmConfig` that matter
/// here. Any size is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Esm2Config {
    /// Rows of the embedding table; at least 33, the alphabet.
    pub vocab_size: usize,
    /// Values in a token vector.
    pub hidden_size: usize,
    /// The number of layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides the hidden size into even parts.
    pub num_attention_heads: usize,
    /// Values inside the feed-forward.
    pub intermediate_size: usize,
    /// Added to variances in layer norms.
    #[serde(default = "default_eps")]
    pub layer_norm_eps: f64,
    /// Whether token vectors are scaled as in training, where tokens were dropped.
    #[serde(default = "default_token_dropout")]
    pub token_dropout: bool,
    /// A norm before the first layer: only in ESM-1b, must be false.
    #[serde(default)]
    pub emb_layer_norm_before: bool,
    /// Must be `rotary`.
    #[serde(default = "rotary")]
    pub position_embedding_type: String,
    /// Must be `gelu`, the exact form.
    #[serde(default = "gelu")]
    pub hidden_act: String,
}

impl Esm2Config {
    /// The tensors that a network of this size needs. `rotary_embeddings.inv_freq`, `[head / 2]`,
    /// may be there too.
    pub fn tensors(&self) -> impl Iterator<Item = TensorSpec> + use<> {
        self.plan().tensors()
    }

    /// The config of tensors that are named as transformers does. Only the number of heads could be
    /// inferred in two ways: what is stated comes first, then the length of the rotary frequencies,
    /// then what the published network of this hidden size has.
    ///
    /// # Errors
    /// [`Error::MissingTensor`] for a file without the tensors that have the sizes;
    /// [`Error::Config`] where nothing gives the number of heads.
    pub(crate) fn infer(source: &dyn TensorSource, stated: &Stated) -> Result<Self, Error> {
        let file = Shapes { source, prefix: "esm." };
        let [vocab_size, hidden_size] = file.matrix("embeddings.word_embeddings.weight")?;
        let hidden_size = stated.hidden_size.unwrap_or(hidden_size);
        let [intermediate_size, _] = file.matrix("encoder.layer.0.intermediate.dense.weight")?;
        let frequencies = source
            .names()
            .into_iter()
            .find(|name| name.ends_with(INVERSE_FREQUENCIES))
            .and_then(|name| source.info(name)?.shape.first().copied())
            .and_then(|half| hidden_size.checked_div(2 * half));
        let published = || published_heads(&PUBLISHED_HEADS, hidden_size);
        let heads = stated.heads.or(frequencies).or_else(published);
        Ok(Self {
            vocab_size,
            hidden_size,
            num_hidden_layers: stated.layers.unwrap_or_else(|| file.layers()),
            num_attention_heads: heads.ok_or_else(|| file.heads_unknown())?,
            intermediate_size,
            layer_norm_eps: default_eps(),
            token_dropout: stated.token_dropout.unwrap_or_else(default_token_dropout),
            emb_layer_norm_before: false,
            position_embedding_type: rotary(),
            hidden_act: gelu(),
        })
    }
}

/// Sizes that a file states next to its tensors; the others follow from its tensors.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) layers: Option<usize>,
    pub(crate) hidden_size: Option<usize>,
    pub(crate) heads: Option<usize>,
    pub(crate) token_dropout: Option<bool>,
}

impl Architecture for Esm2Config {
    fn check(&self, file: &str) -> Result<(), Error> {
        let check = Check { file };
        check.at_least("vocab_size", ALPHABET_SIZE, self.vocab_size)?;
        check.at_least("hidden_size", 1, self.hidden_size)?;
        check.at_least("intermediate_size", 1, self.intermediate_size)?;
        check.at_least("num_attention_heads", 1, self.num_attention_heads)?;
        check.positive("layer_norm_eps", self.layer_norm_eps)?;
        check.that(
            self.hidden_size.is_multiple_of(2 * self.num_attention_heads),
            "num_attention_heads",
            || format!("a number of heads of even size in {}", self.hidden_size),
            &self.num_attention_heads,
        )?;
        check.text("position_embedding_type", "rotary", &self.position_embedding_type)?;
        check.text("hidden_act", "gelu", &self.hidden_act)?;
        check.that(
            !self.emb_layer_norm_before,
            "emb_layer_norm_before",
            || "false".to_owned(),
            &self.emb_layer_norm_before,
        )
    }

    fn plan(&self) -> Plan {
        Plan {
            hidden: self.hidden_size,
            inner: self.intermediate_size,
            heads: Heads::new(self.num_attention_heads, self.hidden_size),
            layers: self.num_hidden_layers,
            eps: self.layer_norm_eps as f32,
            norms: Norms::Pre { last: "encoder.emb_layer_norm_after" },
            position: Position::Rotary {
                frequencies: INVERSE_FREQUENCIES,
                tokens: MAX_RESIDUES + 2,
            },
            activation: Activation::Gelu,
            embedding: Embedding {
                table: "embeddings.word_embeddings.weight",
                vocabulary: self.vocab_size,
                types: None,
                dropout: self
                    .token_dropout
                    .then_some(TokenDropout { mask: MASK, kept: KEPT_IN_TRAINING }),
            },
            names: LayerNames {
                attention_norm: "attention.LayerNorm",
                qkv: &["attention.self.query", "attention.self.key", "attention.self.value"],
                output: "attention.output.dense",
                feed_forward_norm: "LayerNorm",
                up: "intermediate.dense",
                down: "output.dense",
            },
            pooled,
        }
    }

    fn role(name: &str) -> Role {
        const UNUSED: [&str; 5] =
            ["lm_head.", "contact_head.", "pooler.", "classifier.", "embeddings.position_"];
        let name = name.strip_prefix("esm.").unwrap_or(name);
        if UNUSED.iter().any(|prefix| name.starts_with(prefix)) {
            Role::Unused
        } else if name.ends_with(INVERSE_FREQUENCIES) {
            Role::Repeated(INVERSE_FREQUENCIES.to_owned())
        } else {
            Role::Used(name.to_owned())
        }
    }

    fn from_tensors(source: &dyn TensorSource) -> Result<Self, Error> {
        Self::infer(source, &Stated::default())
    }
}

/// The residues of a sequence of `tokens` tokens, none of an empty sequence.
fn pooled(tokens: usize) -> Range<usize> {
    1..tokens.saturating_sub(1).clamp(1, MAX_RESIDUES + 1)
}

fn default_eps() -> f64 {
    1e-5
}

fn default_token_dropout() -> bool {
    true
}

fn rotary() -> String {
    "rotary".to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::zeros;

    fn checked(change: &str) -> Result<(), Error> {
        let mut value = serde_json::json!({
            "vocab_size": 33, "hidden_size": 12, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 3,
        });
        let change: serde_json::Value = serde_json::from_str(change).unwrap();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<Esm2Config>(value).unwrap().check("c.json")
    }

    fn refused(change: &str, expected: &str) {
        let Err(Error::Config { file, field, .. }) = checked(change) else { panic!("{change}") };
        assert_eq!((file.as_str(), field), ("c.json", expected));
    }

    #[test]
    fn impossible_configs_are_refused() {
        checked("{}").unwrap();
        refused(r#"{"vocab_size": 32}"#, "vocab_size");
        refused(r#"{"hidden_size": 0}"#, "hidden_size");
        refused(r#"{"hidden_size": 18446744073709551615}"#, "hidden_size");
        refused(r#"{"num_attention_heads": 4}"#, "num_attention_heads");
        refused(r#"{"num_attention_heads": 5}"#, "num_attention_heads");
        refused(r#"{"layer_norm_eps": 0.0}"#, "layer_norm_eps");
        refused(r#"{"position_embedding_type": "absolute"}"#, "position_embedding_type");
        refused(r#"{"hidden_act": "gelu_new"}"#, "hidden_act");
        refused(r#"{"emb_layer_norm_before": true}"#, "emb_layer_norm_before");
    }

    fn shapes(hidden: usize) -> Vec<(&'static str, Vec<usize>)> {
        vec![
            ("embeddings.word_embeddings.weight", vec![33, hidden]),
            ("encoder.layer.0.intermediate.dense.weight", vec![4 * hidden, hidden]),
            ("encoder.layer.11.LayerNorm.bias", vec![hidden]),
        ]
    }

    #[track_caller]
    fn check_heads(hidden: usize, frequencies: Option<usize>, stated: Option<usize>, heads: usize) {
        let mut shapes = shapes(hidden);
        let name = "encoder.layer.0.attention.self.rotary_embeddings.inv_freq";
        shapes.extend(frequencies.map(|length| (name, vec![length])));
        let stated = Stated { heads: stated, ..Stated::default() };
        let config = Esm2Config::infer(&zeros(shapes), &stated).unwrap();
        assert_eq!(config.num_attention_heads, heads);
        assert_eq!((config.hidden_size, config.intermediate_size), (hidden, 4 * hidden));
        assert_eq!((config.num_hidden_layers, config.token_dropout), (12, true));
    }

    #[test]
    fn heads_by_what_gives_them() {
        check_heads(320, None, None, 20);
        check_heads(480, None, None, 20);
        check_heads(640, None, None, 20);
        check_heads(1280, None, None, 20);
        check_heads(2560, None, None, 40);
        check_heads(64, Some(8), None, 4);
        check_heads(320, Some(40), None, 4);
        check_heads(320, Some(40), Some(8), 8);
        check_heads(64, Some(0), Some(4), 4);
        for frequencies in [None, Some(0)] {
            let mut shapes = shapes(64);
            shapes.extend(frequencies.map(|length| ("rotary_embeddings.inv_freq", vec![length])));
            let Err(Error::Config { field, found, .. }) = Esm2Config::from_tensors(&zeros(shapes))
            else {
                panic!("heads out of nowhere")
            };
            assert_eq!((field, found.as_str()), ("num_attention_heads", "unknown"));
        }
    }

    #[test]
    fn what_is_stated_comes_first() {
        let stated = Stated {
            layers: Some(2),
            hidden_size: Some(96),
            heads: Some(3),
            token_dropout: Some(false),
        };
        let config = Esm2Config::infer(&zeros(shapes(64)), &stated).unwrap();
        assert_eq!((config.num_hidden_layers, config.hidden_size), (2, 96));
        assert_eq!((config.num_attention_heads, config.token_dropout), (3, false));
    }

    #[test]
    fn tensors_that_have_the_sizes_must_be_there() {
        let check = |name: &str| {
            let shapes = shapes(320).into_iter().filter(|(known, _)| *known != name);
            let Err(Error::MissingTensor { name: found, .. }) =
                Esm2Config::from_tensors(&zeros(shapes))
            else {
                panic!("{name} is not needed")
            };
            assert_eq!(found, name);
        };
        check("embeddings.word_embeddings.weight");
        check("encoder.layer.0.intermediate.dense.weight");
    }
}
