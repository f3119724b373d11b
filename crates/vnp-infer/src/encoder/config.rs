//! The sizes of the two networks, as their `config.json` gives them.

use serde::{Deserialize, Serialize};

use crate::Error;
use crate::tokenizer::esm2::ALPHABET_SIZE;

/// The `config.json` of an ESM-2 network: the fields of a transformers `EsmConfig` that matter
/// here. Any size is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Esm2Config {
    /// Rows of the embedding table; at least 33, the alphabet.
    pub vocab_size: usize,
    /// Values in a token vector.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides the hidden size into even parts.
    pub num_attention_heads: usize,
    /// Values inside the feed-forward.
    pub intermediate_size: usize,
    /// Added to variances in layer norms.
    #[serde(default = "defaults::esm2_eps")]
    pub layer_norm_eps: f64,
    /// Whether token vectors are scaled as in training, where tokens were dropped.
    #[serde(default = "defaults::yes")]
    pub token_dropout: bool,
    /// A norm before the first layer: only in ESM-1b, must be false.
    #[serde(default)]
    pub emb_layer_norm_before: bool,
    /// Must be `rotary`.
    #[serde(default = "defaults::rotary")]
    pub position_embedding_type: String,
    /// Must be `gelu`, the exact form.
    #[serde(default = "defaults::gelu")]
    pub hidden_act: String,
}

/// The `config.json` of a DNABERT-2 or DNABERT-S network (MosaicBERT). Any size is accepted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DnabertConfig {
    /// Rows of the embedding table.
    pub vocab_size: usize,
    /// Rows of the token-type table, of which the first is used.
    #[serde(default = "defaults::two")]
    pub type_vocab_size: usize,
    /// Values in a token vector.
    pub hidden_size: usize,
    /// Layers.
    pub num_hidden_layers: usize,
    /// Attention heads; divides the hidden size.
    pub num_attention_heads: usize,
    /// Values inside the feed-forward, after gating.
    pub intermediate_size: usize,
    /// Added to variances in layer norms.
    #[serde(default = "defaults::dnabert_eps")]
    pub layer_norm_eps: f64,
    /// Must be `gelu`, the exact form.
    #[serde(default = "defaults::gelu")]
    pub hidden_act: String,
}

impl Esm2Config {
    /// Values in an attention head.
    pub(crate) fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Checks what the network relies on; `file` is for messages.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
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
}

impl DnabertConfig {
    /// Values in an attention head.
    pub(crate) fn head_size(&self) -> usize {
        self.hidden_size / self.num_attention_heads.max(1)
    }

    /// Checks what the network relies on; `file` is for messages.
    pub(crate) fn check(&self, file: &str) -> Result<(), Error> {
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
}

/// Sizes beyond this are a damaged file: their products must not overflow.
const SIZE_LIMIT: usize = 1 << 24;

struct Check<'a> {
    file: &'a str,
}

impl Check<'_> {
    fn at_least(&self, field: &'static str, least: usize, found: usize) -> Result<(), Error> {
        let expected = || format!("{least} to {SIZE_LIMIT}");
        self.that((least..=SIZE_LIMIT).contains(&found), field, expected, &found)
    }

    fn positive(&self, field: &'static str, found: f64) -> Result<(), Error> {
        let expected = || "a small positive number".to_owned();
        self.that(found > 0.0 && found < 1.0, field, expected, &found)
    }

    fn text(&self, field: &'static str, expected: &str, found: &str) -> Result<(), Error> {
        self.that(expected == found, field, || expected.to_owned(), &found)
    }

    fn that(
        &self,
        holds: bool,
        field: &'static str,
        expected: impl Fn() -> String,
        found: &dyn std::fmt::Display,
    ) -> Result<(), Error> {
        if holds {
            return Ok(());
        }
        let (expected, found) = (expected(), found.to_string());
        Err(Error::Config { file: self.file.to_owned(), field, expected, found })
    }
}

/// What a field is that a config does not state.
pub(crate) mod defaults {
    pub(crate) fn esm2_eps() -> f64 {
        1e-5
    }

    pub(crate) fn dnabert_eps() -> f64 {
        1e-12
    }

    pub(crate) fn two() -> usize {
        2
    }

    pub(crate) fn yes() -> bool {
        true
    }

    pub(crate) fn rotary() -> String {
        "rotary".to_owned()
    }

    pub(crate) fn gelu() -> String {
        "gelu".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn esm2(change: &str) -> Result<(), Error> {
        let mut value = serde_json::json!({
            "vocab_size": 33, "hidden_size": 12, "num_hidden_layers": 1,
            "num_attention_heads": 2, "intermediate_size": 3,
        });
        let change: serde_json::Value = serde_json::from_str(change).unwrap();
        value.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        serde_json::from_value::<Esm2Config>(value).unwrap().check("c.json")
    }

    fn refused(change: &str, expected: &str) {
        let Err(Error::Config { file, field, .. }) = esm2(change) else { panic!("{change}") };
        assert_eq!((file.as_str(), field), ("c.json", expected));
    }

    #[test]
    fn impossible_configs_are_refused() {
        esm2("{}").unwrap();
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
}
