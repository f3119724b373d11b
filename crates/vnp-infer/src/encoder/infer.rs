//! The sizes of a network from its tensors, for weights without a `config.json`.

use super::config::{DnabertConfig, Esm2Config, defaults};
use crate::Error;
use crate::weights::TensorSource;

/// Sizes that a file states beside its tensors; what it does not state, its tensors tell.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(crate) struct Stated {
    pub(crate) layers: Option<usize>,
    pub(crate) hidden_size: Option<usize>,
    pub(crate) heads: Option<usize>,
    pub(crate) token_dropout: Option<bool>,
}

/// The hidden sizes of the published ESM-2 networks, t6 to t48, and their numbers of heads.
const ESM2_HEADS: [(usize, usize); 6] =
    [(320, 20), (480, 20), (640, 20), (1280, 20), (2560, 40), (5120, 40)];
/// The same of DNABERT-2 and DNABERT-S.
const DNABERT_HEADS: [(usize, usize); 1] = [(768, 12)];

/// The sizes of an ESM-2 network whose tensors are named as transformers does. Nothing but the
/// number of heads could be told in two ways: what is stated comes first, then the length of the
/// rotary frequencies, then what the published network of this hidden size has.
///
/// # Errors
/// [`Error::MissingTensor`] for a file without the tensors that tell; [`Error::Config`] where
/// nothing tells the number of heads.
pub(crate) fn esm2(source: &dyn TensorSource, stated: &Stated) -> Result<Esm2Config, Error> {
    let file = Shapes { source, prefix: "esm." };
    let [vocab_size, hidden_size] = file.matrix("embeddings.word_embeddings.weight")?;
    let hidden_size = stated.hidden_size.unwrap_or(hidden_size);
    let [intermediate_size, _] = file.matrix("encoder.layer.0.intermediate.dense.weight")?;
    let frequencies = source
        .names()
        .into_iter()
        .find(|name| name.ends_with("rotary_embeddings.inv_freq"))
        .and_then(|name| source.info(name)?.shape.first().copied())
        .and_then(|half| hidden_size.checked_div(2 * half));
    let heads = stated.heads.or(frequencies).or_else(|| known(&ESM2_HEADS, hidden_size));
    Ok(Esm2Config {
        vocab_size,
        hidden_size,
        num_hidden_layers: stated.layers.unwrap_or_else(|| file.layers()),
        num_attention_heads: heads.ok_or_else(|| file.heads_unknown())?,
        intermediate_size,
        layer_norm_eps: defaults::esm2_eps(),
        token_dropout: stated.token_dropout.unwrap_or(true),
        emb_layer_norm_before: false,
        position_embedding_type: defaults::rotary(),
        hidden_act: defaults::gelu(),
    })
}

/// The sizes of a DNABERT network.
///
/// # Errors
/// As [`esm2`].
pub(crate) fn dnabert(source: &dyn TensorSource) -> Result<DnabertConfig, Error> {
    let file = Shapes { source, prefix: "bert." };
    let [vocab_size, hidden_size] = file.matrix("embeddings.word_embeddings.weight")?;
    let [type_vocab_size, _] = file.matrix("embeddings.token_type_embeddings.weight")?;
    let [_, intermediate_size] = file.matrix("encoder.layer.0.mlp.wo.weight")?;
    let heads = known(&DNABERT_HEADS, hidden_size);
    Ok(DnabertConfig {
        vocab_size,
        type_vocab_size,
        hidden_size,
        num_hidden_layers: file.layers(),
        num_attention_heads: heads.ok_or_else(|| file.heads_unknown())?,
        intermediate_size,
        layer_norm_eps: defaults::dnabert_eps(),
        hidden_act: defaults::gelu(),
    })
}

fn known(table: &[(usize, usize)], hidden_size: usize) -> Option<usize> {
    table.iter().find(|(hidden, _)| *hidden == hidden_size).map(|(_, heads)| *heads)
}

/// What the tensors of a file tell, their names with a prefix or without.
struct Shapes<'a> {
    source: &'a dyn TensorSource,
    prefix: &'static str,
}

impl Shapes<'_> {
    fn matrix(&self, name: &str) -> Result<[usize; 2], Error> {
        let info = self.source.info(name);
        let info = info.or_else(|| self.source.info(&format!("{}{name}", self.prefix)));
        let shape = info.and_then(|info| info.shape.as_slice().try_into().ok());
        shape.ok_or_else(|| Error::MissingTensor {
            file: self.source.label().to_owned(),
            name: name.to_owned(),
            expected: Vec::new(),
        })
    }

    /// One more than the highest number of a layer: one that is missing will be missed.
    fn layers(&self) -> usize {
        let number = |name: &str| {
            let name = name.strip_prefix(self.prefix).unwrap_or(name);
            name.strip_prefix("encoder.layer.")?.split_once('.')?.0.parse::<usize>().ok()
        };
        let last = self.source.names().into_iter().filter_map(number).max();
        last.map_or(0, |last| last.saturating_add(1))
    }

    fn heads_unknown(&self) -> Error {
        Error::Config {
            file: self.source.label().to_owned(),
            field: "num_attention_heads",
            expected: "a config.json beside the weights that states it".to_owned(),
            found: "unknown".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{TensorSpec, Tensors};

    fn tensors<'a>(shapes: impl IntoIterator<Item = (&'a str, Vec<usize>)>) -> Tensors {
        let mut tensors = Tensors::default();
        for (name, shape) in shapes {
            let values = vec![0.0; shape.iter().product()];
            tensors.insert_f16(name, &shape, &values);
        }
        tensors
    }

    fn esm2_shapes(hidden: usize) -> Vec<(&'static str, Vec<usize>)> {
        vec![
            ("embeddings.word_embeddings.weight", vec![33, hidden]),
            ("encoder.layer.0.intermediate.dense.weight", vec![4 * hidden, hidden]),
            ("encoder.layer.11.LayerNorm.bias", vec![hidden]),
        ]
    }

    #[track_caller]
    fn check_esm2(hidden: usize, frequencies: Option<usize>, stated: Option<usize>, heads: usize) {
        let mut shapes = esm2_shapes(hidden);
        let name = "encoder.layer.0.attention.self.rotary_embeddings.inv_freq";
        shapes.extend(frequencies.map(|length| (name, vec![length])));
        let stated = Stated { heads: stated, ..Stated::default() };
        let config = esm2(&tensors(shapes), &stated).unwrap();
        assert_eq!(config.num_attention_heads, heads);
        assert_eq!((config.hidden_size, config.intermediate_size), (hidden, 4 * hidden));
        assert_eq!((config.num_hidden_layers, config.token_dropout), (12, true));
    }

    #[test]
    fn heads_by_what_tells_them() {
        check_esm2(320, None, None, 20);
        check_esm2(480, None, None, 20);
        check_esm2(640, None, None, 20);
        check_esm2(1280, None, None, 20);
        check_esm2(2560, None, None, 40);
        check_esm2(64, Some(8), None, 4);
        check_esm2(320, Some(40), None, 4);
        check_esm2(320, Some(40), Some(8), 8);
        check_esm2(64, Some(0), Some(4), 4);
        for frequencies in [None, Some(0)] {
            let mut shapes = esm2_shapes(64);
            shapes.extend(frequencies.map(|length| ("rotary_embeddings.inv_freq", vec![length])));
            let Err(Error::Config { field, found, .. }) =
                esm2(&tensors(shapes), &Stated::default())
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
        let config = esm2(&tensors(esm2_shapes(64)), &stated).unwrap();
        assert_eq!((config.num_hidden_layers, config.hidden_size), (2, 96));
        assert_eq!((config.num_attention_heads, config.token_dropout), (3, false));
    }

    #[test]
    fn dnabert_by_its_tensors() {
        let config = |hidden: usize, prefix: &str| {
            let shapes = [
                ("embeddings.word_embeddings.weight", vec![40, hidden]),
                ("embeddings.token_type_embeddings.weight", vec![2, hidden]),
                ("encoder.layer.0.mlp.wo.weight", vec![hidden, 6]),
                ("encoder.layer.1.mlp.wo.weight", vec![hidden, 6]),
            ];
            let named =
                shapes.map(|(name, shape)| TensorSpec::new(format!("{prefix}{name}"), shape));
            dnabert(&tensors(named.iter().map(|spec| (spec.name.as_str(), spec.shape.clone()))))
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

    #[test]
    fn what_tells_the_sizes_must_be_there() {
        let check = |name: &str| {
            let shapes = esm2_shapes(320).into_iter().filter(|(known, _)| *known != name);
            let Err(Error::MissingTensor { name: found, .. }) =
                esm2(&tensors(shapes), &Stated::default())
            else {
                panic!("{name} is not needed")
            };
            assert_eq!(found, name);
        };
        check("embeddings.word_embeddings.weight");
        check("encoder.layer.0.intermediate.dense.weight");
    }
}
