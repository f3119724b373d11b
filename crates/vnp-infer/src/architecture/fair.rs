//! ESM-2 as fair-esm distributes it: one `.pt` file with the weights under names of its own, and
//! the sizes next to them.

use std::collections::BTreeMap;

use vnp_ckpt::Value;

use super::esm2::Stated;
use crate::weights::TensorSource;

/// The embedding table, as transformers and as fair-esm call it.
const TABLE: &str = "embeddings.word_embeddings.weight";
const FAIR_TABLE: &str = "embed_tokens.weight";

/// The rest of a fair-esm name after the layer's number, and the name in transformers.
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
    if inner == FAIR_TABLE {
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

/// Whether a file names its tensors as fair-esm does.
pub(crate) fn is_fair(source: &dyn TensorSource) -> bool {
    source.names().iter().any(|name| rename(name) == TABLE && name.ends_with(FAIR_TABLE))
}

/// The sizes in the settings of a fair-esm file, `cfg.model` or `args`. The width of the feed-forward
/// is not among them: fair-esm takes four times the hidden size whatever the settings say, and the
/// tensors have it.
pub(crate) fn stated(metadata: &BTreeMap<String, Value>) -> Stated {
    let number = |name: &str| {
        let number = setting(metadata, name).and_then(Value::as_u64);
        number.and_then(|number| usize::try_from(number).ok())
    };
    Stated {
        layers: number("layers"),
        hidden_size: number("embed_dim"),
        heads: number("attention_heads"),
        token_dropout: setting(metadata, "token_dropout").and_then(Value::as_bool),
    }
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

    #[test]
    fn settings() {
        let map = |entries: &[(&str, Value)]| {
            let entries = entries.iter().map(|(key, value)| ((*key).to_owned(), value.clone()));
            entries.collect::<BTreeMap<_, _>>()
        };
        let model = [
            ("encoder_layers", 36.into()),
            ("encoder_embed_dim", 2560.into()),
            ("encoder_ffn_embed_dim", 3072.into()),
            ("encoder_attention_heads", 40.into()),
            ("token_dropout", true.into()),
        ];
        let expected = Stated {
            layers: Some(36),
            hidden_size: Some(2560),
            heads: Some(40),
            token_dropout: Some(true),
        };
        let cfg = map(&[("cfg", Value::Map(map(&[("model", Value::Map(map(&model)))])))]);
        assert_eq!(stated(&cfg), expected);
        assert_eq!(stated(&map(&[("args", Value::Map(map(&model)))])), expected);
        let args =
            map(&[("args", Value::Map(map(&[("layers", 6.into()), ("embed_dim", "x".into())])))]);
        assert_eq!(stated(&args), Stated { layers: Some(6), ..Stated::default() });
        assert_eq!(stated(&map(&[])), Stated::default());
    }

    #[test]
    fn files_of_fair_esm() {
        let check = |name: &str, expected: bool| {
            let mut tensors = crate::weights::tensors::Tensors::default();
            tensors.insert_f32(name, &[1], &[0.0]);
            assert_eq!(is_fair(&tensors), expected, "{name}");
        };
        check("model.encoder.sentence_encoder.embed_tokens.weight", true);
        check("encoder.embed_tokens.weight", true);
        check("esm.embeddings.word_embeddings.weight", false);
        check("embeddings.word_embeddings.weight", false);
        check("other.embed_tokens.weight", false);
    }
}
