//! ESM-2 as fair-esm distributes it: one `.pt` file with the weights under their own names and the
//! sizes beside them.

use std::collections::BTreeMap;

use vnp_ckpt::Value;

use crate::weights::TensorSource;
use crate::{Error, Esm2Config};

/// The embedding table: a file that has it is one of fair-esm's.
const TABLE: &str = "embeddings.word_embeddings.weight";

/// How a fair-esm name goes on after the layer's number, and what transformers calls it.
const IN_LAYER: [(&str, &str); 9] = [
    ("self_attn.q_proj.", "attention.self.query."),
    ("self_attn.k_proj.", "attention.self.key."),
    ("self_attn.v_proj.", "attention.self.value."),
    ("self_attn.out_proj.", "attention.output.dense."),
    ("self_attn.rot_emb.", "attention.self.rotary_embeddings."),
    ("self_attn_layer_norm.", "attention.LayerNorm."),
    ("fc1.", "intermediate.dense."),
    ("fc2.", "output.dense."),
    ("final_layer_norm.", "LayerNorm."),
];

/// The name that transformers gives a tensor of fair-esm; any other name stays.
pub(crate) fn rename(name: &str) -> String {
    let bare = name.strip_prefix("model.").unwrap_or(name);
    let inner = ["encoder.sentence_encoder.", "sentence_encoder.", "encoder."]
        .iter()
        .find_map(|prefix| bare.strip_prefix(prefix))
        .unwrap_or(bare);
    if inner == "embed_tokens.weight" {
        return TABLE.to_owned();
    }
    if inner.starts_with("emb_layer_norm_after.") {
        return format!("encoder.{inner}");
    }
    if inner.starts_with("lm_head.") || inner.starts_with("contact_head.") {
        return inner.to_owned();
    }
    let layer = inner.strip_prefix("layers.").and_then(|rest| rest.split_once('.'));
    let renamed = layer.and_then(|(number, rest)| {
        let found = IN_LAYER.iter().find_map(|(from, to)| Some((rest.strip_prefix(from)?, to)));
        found.map(|(ending, to)| format!("encoder.layer.{number}.{to}{ending}"))
    });
    renamed.unwrap_or_else(|| name.to_owned())
}

/// The sizes of the network, from the tensors themselves; the number of heads is what its rotary
/// frequencies or its settings (`cfg.model` or `args`) say.
///
/// # Errors
/// [`Error::MissingTensor`] for a file without the tensors that tell.
pub(crate) fn config(
    source: &dyn TensorSource,
    metadata: &BTreeMap<String, Value>,
) -> Result<Esm2Config, Error> {
    let shape = |name: &str| source.info(name).map(|info| info.shape.as_slice());
    let missing = |name: &str| Error::MissingTensor {
        file: source.label().to_owned(),
        name: name.to_owned(),
        expected: Vec::new(),
    };
    let Some(&[vocab_size, hidden_size]) = shape(TABLE) else {
        return Err(missing(TABLE));
    };
    let layer = |index: usize, ending: &str| format!("encoder.layer.{index}.{ending}");
    let first = layer(0, "intermediate.dense.bias");
    let Some(&[intermediate_size]) = shape(&first) else {
        return Err(missing(&first));
    };
    let num_hidden_layers = (0..)
        .take_while(|&index| shape(&layer(index, "intermediate.dense.bias")).is_some())
        .count();
    let frequencies = shape(&layer(0, "attention.self.rotary_embeddings.inv_freq"));
    let by_frequencies = frequencies
        .and_then(|shape| shape.first().copied())
        .filter(|half| *half > 0)
        .map(|half| hidden_size / (2 * half));
    let by_settings = setting(metadata, "attention_heads")
        .and_then(Value::as_u64)
        .and_then(|heads| usize::try_from(heads).ok());
    let Some(num_attention_heads) = by_frequencies.or(by_settings) else {
        return Err(missing(&layer(0, "attention.self.rotary_embeddings.inv_freq")));
    };
    let token_dropout = setting(metadata, "token_dropout").and_then(Value::as_bool);
    Ok(Esm2Config {
        vocab_size,
        hidden_size,
        num_hidden_layers,
        num_attention_heads,
        intermediate_size,
        // fair-esm writes neither of these down; ESM-2 has one value of each.
        layer_norm_eps: 1e-5,
        token_dropout: token_dropout.unwrap_or(true),
        emb_layer_norm_before: false,
        position_embedding_type: "rotary".to_owned(),
        hidden_act: "gelu".to_owned(),
    })
}

/// A setting by name or by the name with `encoder_` before it.
fn setting<'m>(metadata: &'m BTreeMap<String, Value>, name: &str) -> Option<&'m Value> {
    let in_cfg = metadata.get("cfg").and_then(Value::as_map).and_then(|cfg| cfg.get("model"));
    let settings = in_cfg.or_else(|| metadata.get("args")).and_then(Value::as_map)?;
    settings.get(&format!("encoder_{name}")).or_else(|| settings.get(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(fair: &str, expected: &str) {
        assert_eq!(rename(fair), expected);
    }

    #[test]
    fn names() {
        check("model.encoder.sentence_encoder.embed_tokens.weight", TABLE);
        check("model.encoder.embed_tokens.weight", TABLE);
        check("embed_tokens.weight", TABLE);
        check(
            "model.encoder.sentence_encoder.layers.12.self_attn.k_proj.bias",
            "encoder.layer.12.attention.self.key.bias",
        );
        check(
            "model.encoder.sentence_encoder.layers.0.self_attn.rot_emb.inv_freq",
            "encoder.layer.0.attention.self.rotary_embeddings.inv_freq",
        );
        check("layers.3.self_attn_layer_norm.weight", "encoder.layer.3.attention.LayerNorm.weight");
        check("layers.3.final_layer_norm.weight", "encoder.layer.3.LayerNorm.weight");
        check("layers.3.fc1.bias", "encoder.layer.3.intermediate.dense.bias");
        check("layers.3.fc2.bias", "encoder.layer.3.output.dense.bias");
        check(
            "model.encoder.sentence_encoder.emb_layer_norm_after.bias",
            "encoder.emb_layer_norm_after.bias",
        );
        check("model.encoder.lm_head.dense.weight", "lm_head.dense.weight");
        check("esm.encoder.layer.0.LayerNorm.bias", "esm.encoder.layer.0.LayerNorm.bias");
        check("layers.3.unheard_of.bias", "layers.3.unheard_of.bias");
    }
}
