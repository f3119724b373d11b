//! Seeded random encoders.
//!
//! Their weights are drawn and not trained. What makes their embeddings tell anything is the scale of
//! the draws: token vectors large beside what the layers add, so that composition survives the norms,
//! and layers strong enough to mix neighbours in.

use anyhow::Result;
use serde::{Deserialize, Serialize};
use vnp_infer::{
    DeviceSpec, Dnabert, DnabertConfig, Esm2, Esm2Config, ModelOptions, Precision, TensorSpec,
    Tensors,
};

use super::rng::Rng;

/// Sizes and scales of both encoders.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Design {
    pub(crate) vocabulary: usize,
    pub(crate) dnabert_hidden: usize,
    pub(crate) dnabert_layers: usize,
    pub(crate) dnabert_heads: usize,
    pub(crate) dnabert_inner: usize,
    pub(crate) esm2_hidden: usize,
    pub(crate) esm2_layers: usize,
    pub(crate) esm2_heads: usize,
    pub(crate) esm2_inner: usize,
    /// Deviation of the nucleotide tokens' own part, beside that of the words they hold.
    pub(crate) token_noise: f32,
    /// Longest word whose random vector enters a token's vector.
    pub(crate) token_words: usize,
    /// Gains of the projections: queries and keys, values, feed-forward in and out.
    pub(crate) dnabert_gains: [f32; 4],
    pub(crate) esm2_gains: [f32; 4],
    /// Deviation of the biases of queries and keys, which under rotary positions make heads look at
    /// fixed distances.
    pub(crate) esm2_position_bias: f32,
}

impl Default for Design {
    fn default() -> Self {
        Self {
            vocabulary: 1024,
            dnabert_hidden: 128,
            dnabert_layers: 1,
            dnabert_heads: 4,
            dnabert_inner: 128,
            esm2_hidden: 128,
            esm2_layers: 1,
            esm2_heads: 4,
            esm2_inner: 256,
            token_noise: 0.3,
            token_words: 4,
            dnabert_gains: [1.0, 1.0, 1.0, 1.0],
            esm2_gains: [1.0, 1.0, 1.0, 1.0],
            esm2_position_bias: 2.0,
        }
    }
}

impl Design {
    pub(crate) fn dnabert_config(&self) -> DnabertConfig {
        DnabertConfig {
            vocab_size: self.vocabulary,
            type_vocab_size: 1,
            hidden_size: self.dnabert_hidden,
            num_hidden_layers: self.dnabert_layers,
            num_attention_heads: self.dnabert_heads,
            intermediate_size: self.dnabert_inner,
            layer_norm_eps: 1e-12,
            hidden_act: "gelu".to_owned(),
        }
    }

    pub(crate) fn esm2_config(&self) -> Esm2Config {
        Esm2Config {
            vocab_size: 33,
            hidden_size: self.esm2_hidden,
            num_hidden_layers: self.esm2_layers,
            num_attention_heads: self.esm2_heads,
            intermediate_size: self.esm2_inner,
            layer_norm_eps: 1e-5,
            token_dropout: true,
            emb_layer_norm_before: false,
            position_embedding_type: "rotary".to_owned(),
            hidden_act: "gelu".to_owned(),
        }
    }

    /// `tokens` are the texts of the vocabulary in the order of their ids.
    pub(crate) fn dnabert_tensors(&self, tokens: &[String], seed: u64) -> Tensors {
        let [attend, value, inner, outer] = self.dnabert_gains;
        let hidden = self.dnabert_hidden;
        let mut tensors = Tensors::default();
        for TensorSpec { name, shape } in self.dnabert_config().tensors() {
            let rng = Rng::new(seed, &format!("dnabert {name}"));
            let values = match role(&name) {
                "word_embeddings.weight" => self.token_vectors(tokens, rng),
                "Wqkv.weight" => {
                    let mut values = normal(&shape, attend, rng);
                    let values_start = 2 * hidden * hidden;
                    values[values_start..].iter_mut().for_each(|x| *x *= value / attend);
                    values
                }
                "output.dense.weight" => normal(&shape, 1.0, rng),
                "gated_layers.weight" => normal(&shape, inner, rng),
                "wo.weight" => normal(&shape, outer, rng),
                _ => constant(&name, &shape),
            };
            tensors.insert_f16(name, &shape, &values);
        }
        tensors
    }

    pub(crate) fn esm2_tensors(&self, seed: u64) -> Tensors {
        let [attend, value, inner, outer] = self.esm2_gains;
        let mut tensors = Tensors::default();
        for TensorSpec { name, shape } in self.esm2_config().tensors() {
            let rng = Rng::new(seed, &format!("esm2 {name}"));
            let values = match role(&name) {
                "word_embeddings.weight" => unit(&shape, 1.0, rng),
                "query.weight" | "key.weight" => normal(&shape, attend, rng),
                "query.bias" | "key.bias" => unit(&shape, self.esm2_position_bias, rng),
                "value.weight" => normal(&shape, value, rng),
                "intermediate.dense.weight" => normal(&shape, inner, rng),
                "output.dense.weight" if name.contains("attention") => normal(&shape, 1.0, rng),
                "output.dense.weight" => normal(&shape, outer, rng),
                _ => constant(&name, &shape),
            };
            tensors.insert_f16(name, &shape, &values);
        }
        tensors
    }

    /// A token's vector is the sum of random vectors of the words inside it, and of one of its own:
    /// tokens alike in letters are alike in vectors.
    fn token_vectors(&self, tokens: &[String], mut rng: Rng) -> Vec<f32> {
        let hidden = self.dnabert_hidden;
        let words: Vec<Vec<Vec<f32>>> = (1..=self.token_words)
            .map(|length| {
                let vector = |_| (0..hidden).map(|_| rng.normal()).collect();
                (0..4usize.pow(length as u32)).map(vector).collect()
            })
            .collect();
        let mut values = Vec::with_capacity(self.vocabulary * hidden);
        for id in 0..self.vocabulary {
            let mut vector: Vec<f32> =
                (0..hidden).map(|_| self.token_noise * rng.normal()).collect();
            let text = tokens.get(id).map_or("", String::as_str);
            for (length, vectors) in (1..).zip(&words) {
                let found: Vec<usize> =
                    text.as_bytes().windows(length).filter_map(number).collect();
                for word in &found {
                    let scale = 1.0 / (found.len() as f32).sqrt();
                    vector.iter_mut().zip(&vectors[*word]).for_each(|(x, y)| *x += scale * y);
                }
            }
            values.extend(vector);
        }
        values
    }
}

/// Both encoders, ready to run, with the tensors they were made of.
pub(crate) struct Encoders {
    pub(crate) tokenizer: String,
    pub(crate) dnabert_tensors: Tensors,
    pub(crate) esm2_tensors: Tensors,
    pub(crate) nucleotide: Dnabert,
    pub(crate) protein: Esm2,
}

impl Encoders {
    pub(crate) fn new(design: &Design, seed: u64, tokenizer: String) -> Result<Self> {
        let parsed: tokenizers::Tokenizer =
            tokenizer.parse().map_err(|error| anyhow::anyhow!("{error}"))?;
        let tokens: Vec<String> = (0..design.vocabulary as u32)
            .map(|id| parsed.id_to_token(id).unwrap_or_default())
            .collect();
        let options = ModelOptions {
            device: DeviceSpec::Cpu,
            precision: Precision::F32,
            ..ModelOptions::default()
        };
        let dnabert_tensors = design.dnabert_tensors(&tokens, seed);
        let esm2_tensors = design.esm2_tensors(seed);
        let nucleotide = Dnabert::new(
            &design.dnabert_config(),
            dnabert_tensors.clone(),
            tokenizer.as_bytes(),
            &options,
        )?;
        let protein = Esm2::new(&design.esm2_config(), esm2_tensors.clone(), &options)?;
        Ok(Self { tokenizer, dnabert_tensors, esm2_tensors, nucleotide, protein })
    }
}

/// The end of a tensor's name that tells what it is.
fn role(name: &str) -> &str {
    const ROLES: [&str; 12] = [
        "word_embeddings.weight",
        "Wqkv.weight",
        "intermediate.dense.weight",
        "output.dense.weight",
        "gated_layers.weight",
        "wo.weight",
        "query.weight",
        "key.weight",
        "value.weight",
        "query.bias",
        "key.bias",
        "value.bias",
    ];
    ROLES.into_iter().find(|role| name.ends_with(role)).unwrap_or_default()
}

/// Of a matrix `[outputs, inputs]` whose outputs have the deviation `gain` for inputs of deviation 1.
fn normal(shape: &[usize], gain: f32, rng: Rng) -> Vec<f32> {
    let inputs = shape.last().copied().unwrap_or(1).max(1);
    unit(shape, gain / (inputs as f32).sqrt(), rng)
}

fn unit(shape: &[usize], deviation: f32, mut rng: Rng) -> Vec<f32> {
    (0..shape.iter().product()).map(|_| deviation * rng.normal()).collect()
}

/// Norms pass everything, biases add nothing, and there is one token type.
fn constant(name: &str, shape: &[usize]) -> Vec<f32> {
    let is_norm = name.ends_with("LayerNorm.weight")
        || name.ends_with("layernorm.weight")
        || name.ends_with("layer_norm_after.weight");
    vec![if is_norm { 1.0 } else { 0.0 }; shape.iter().product()]
}

/// A word of A, C, G and T as a number.
fn number(word: &[u8]) -> Option<usize> {
    word.iter().try_fold(0, |number, letter| {
        Some(number * 4 + b"ACGT".iter().position(|base| base == letter)?)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_tensor_is_drawn_or_constant_on_purpose() {
        let design = Design::default();
        let specs = design.dnabert_config().tensors().chain(design.esm2_config().tensors());
        for TensorSpec { name, .. } in specs {
            let is_matrix = name.ends_with(".weight") && !name.to_lowercase().contains("norm");
            let is_constant = role(&name).is_empty() || role(&name) == "value.bias";
            assert!(!is_matrix || !is_constant || name.contains("token_type"), "{name}");
            if name.to_lowercase().contains("norm") && name.ends_with("weight") {
                assert_eq!(constant(&name, &[2]), [1.0, 1.0], "{name}");
            }
        }
    }

    #[test]
    fn tokens_alike_in_letters_are_alike_in_vectors() {
        let design = Design { vocabulary: 3, ..Design::default() };
        let tokens = ["ACGTACG", "ACGTACC", "TTTTGGA"].map(str::to_owned);
        let vectors = design.token_vectors(&tokens, Rng::new(1, "test"));
        let vector = |i: usize| &vectors[i * 128..][..128];
        let distance = |a: usize, b: usize| {
            vector(a).iter().zip(vector(b)).map(|(x, y)| (x - y) * (x - y)).sum::<f32>()
        };
        assert!(distance(0, 1) * 2.0 < distance(0, 2));
    }

    #[test]
    fn words_are_numbered() {
        assert_eq!(number(b"A"), Some(0));
        assert_eq!(number(b"TG"), Some(14));
        assert_eq!(number(b"[U"), None);
    }
}
