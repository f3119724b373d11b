//! Helpers of several tests: random networks, a small tokenizer, paths of fixtures.

pub(crate) mod distribute;

use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::plan::Plan;
use crate::architecture::{Architecture, NetworkSource};
use crate::bundle::write::BundleWriter;
use crate::head;
use crate::weights::tensors::Tensors;
use crate::weights::{TensorSpec, Weights};

/// A reproducible sequence of numbers (splitmix64).
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// -1 to 1.
    pub(crate) fn float(&mut self) -> f32 {
        (self.next() >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    }

    pub(crate) fn text(&mut self, alphabet: &str, length: usize) -> String {
        let letters = alphabet.as_bytes();
        (0..length).map(|_| letters[self.next() as usize % letters.len()] as char).collect()
    }
}

pub(crate) fn esm2_config(hidden: usize, layers: usize, heads: usize) -> Esm2Config {
    config(json!({
        "vocab_size": 33, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": 4 * hidden,
    }))
}

pub(crate) fn dnabert_config(hidden: usize, layers: usize, heads: usize) -> DnabertConfig {
    config(json!({
        "vocab_size": 300, "hidden_size": hidden, "num_hidden_layers": layers,
        "num_attention_heads": heads, "intermediate_size": 2 * hidden,
    }))
}

fn config<T: serde::de::DeserializeOwned>(value: Value) -> T {
    serde_json::from_value(value).unwrap()
}

/// Random weights that keep activations of a sensible size.
pub(crate) fn random_tensors(specs: impl Iterator<Item = TensorSpec>, seed: u64) -> Tensors {
    let mut random = Random::new(seed);
    let mut tensors = Tensors::default();
    for TensorSpec { name, shape } in specs {
        let count = shape.iter().product();
        let is_norm = name.to_lowercase().contains("norm") || name.contains("running_var");
        let is_norm_weight = is_norm && !name.ends_with("bias");
        let (middle, spread) = match *shape.as_slice() {
            _ if is_norm_weight => (1.0, 0.2),
            [_, _] if name.contains("embeddings") => (0.0, 1.0),
            [_, inputs] => (0.0, (3.0 / inputs as f32).sqrt()),
            _ => (0.0, 0.1),
        };
        let values: Vec<f32> = (0..count).map(|_| middle + spread * random.float()).collect();
        tensors.insert_f16(name, &shape, &values);
    }
    tensors
}

/// A small ESM-2 network; names with a prefix, and rotary frequencies once or with copies.
pub(crate) fn random_esm2(seed: u64, prefix: &str, copies: bool) -> (Esm2Config, Tensors) {
    let config = esm2_config(16, 2, 2);
    let specs =
        config.tensors().map(|spec| TensorSpec::new(format!("{prefix}{}", spec.name), spec.shape));
    let mut tensors = random_tensors(specs, seed);
    let frequencies = [1.0, 0.5, 0.25, 0.125];
    tensors.insert_f32(format!("{prefix}rotary_embeddings.inv_freq"), &[4], &frequencies);
    for layer in (0..2).filter(|_| copies) {
        let name = format!("encoder.layer.{layer}.attention.self.rotary_embeddings.inv_freq");
        tensors.insert_f32(format!("{prefix}{name}"), &[4], &frequencies);
    }
    (config, tensors)
}

/// A bundle of random weights: hidden sizes 24 (nucleotide) and 16 (protein).
pub(crate) fn random_writer(seed: u64) -> BundleWriter {
    let (esm2, dnabert) = (esm2_config(16, 2, 2), dnabert_config(24, 2, 3));
    let mut writer = BundleWriter::new(
        (esm2.clone(), random_tensors(esm2.tensors(), seed)),
        (dnabert.clone(), random_tensors(dnabert.tensors(), seed + 10)),
        tokenizer_json(),
        random_head(16 + 24, 8, seed + 20),
    )
    .unwrap();
    writer.name = "r".to_owned();
    writer.expected_length = 500;
    writer.licence = "MIT".to_owned();
    writer.provenance = json!({"note": "seeded random weights, not trained"});
    writer
}

/// The same with a fallback head.
pub(crate) fn random_fallback_writer(seed: u64) -> BundleWriter {
    random_writer(seed).with_fallback(random_head(24, 6, seed + 30)).unwrap()
}

/// A head of random weights.
pub(crate) fn random_head(features: usize, units: usize, seed: u64) -> Tensors {
    random_tensors(head::tensors::specs(units, features).into_iter(), seed)
}

/// Tensors of zeros.
pub(crate) fn zeros<N: Into<String>>(shapes: impl IntoIterator<Item = (N, Vec<usize>)>) -> Tensors {
    let mut tensors = Tensors::default();
    for (name, shape) in shapes {
        let values = vec![0.0; shape.iter().product()];
        tensors.insert_f16(name, &shape, &values);
    }
    tensors
}

/// The plan of a network and random weights for it.
pub(crate) fn random_network<A: Architecture>(config: A, seed: u64) -> (Plan, Weights) {
    let plan = config.plan();
    let tensors = random_tensors(plan.tensors(), seed);
    (plan, NetworkSource::new(config, Arc::new(tensors)).unwrap().weights)
}

/// A byte-pair encoding of 281 tokens with the special tokens of DNABERT-2: bases, pairs, fours.
/// Asks for truncation and padding, as the file shipped with DNABERT-S does.
pub(crate) fn tokenizer_json() -> Vec<u8> {
    let special = ["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"];
    let bases: Vec<String> = "ACGT".chars().map(String::from).collect();
    let (pairs, pair_merges) = joined(&bases);
    let (fours, four_merges) = joined(&pairs);
    let merges = [pair_merges, four_merges].concat();
    let mut vocabulary = Map::new();
    let tokens = special.iter().map(|token| (*token).to_owned());
    for (id, token) in tokens.chain(bases).chain(pairs).chain(fours).enumerate() {
        vocabulary.insert(token, id.into());
    }
    let added: Vec<Value> = special
        .iter()
        .enumerate()
        .map(|(id, token)| {
            json!({"id": id, "special": true, "content": token, "single_word": false,
                   "lstrip": false, "rstrip": false, "normalized": false})
        })
        .collect();
    let frame = |token: &str, id: u32| json!({"id": token, "ids": [id], "tokens": [token]});
    let template = |token: &str| json!({"SpecialToken": {"id": token, "type_id": 0}});
    let sequence = |name: &str| json!({"Sequence": {"id": name, "type_id": 0}});
    serde_json::to_vec_pretty(&json!({
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": 8, "strategy": "LongestFirst", "stride": 0},
        "padding": {"strategy": {"Fixed": 8}, "direction": "Right", "pad_to_multiple_of": null,
                    "pad_id": 3, "pad_type_id": 0, "pad_token": "[PAD]"},
        "added_tokens": added,
        "normalizer": null,
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [template("[CLS]"), sequence("A"), template("[SEP]")],
            "pair": [template("[CLS]"), sequence("A"), template("[SEP]"), sequence("B")],
            "special_tokens": {"[CLS]": frame("[CLS]", 1), "[SEP]": frame("[SEP]", 2)}
        },
        "decoder": null,
        "model": {
            "type": "BPE", "dropout": null, "unk_token": "[UNK]",
            "continuing_subword_prefix": null, "end_of_word_suffix": null, "fuse_unk": false,
            "vocab": vocabulary, "merges": merges
        }
    }))
    .unwrap()
}

/// Every join of two tokens, and the merges that make them.
fn joined(tokens: &[String]) -> (Vec<String>, Vec<String>) {
    let pairs = || tokens.iter().flat_map(|a| tokens.iter().map(move |b| (a, b)));
    (
        pairs().map(|(a, b)| format!("{a}{b}")).collect(),
        pairs().map(|(a, b)| format!("{a} {b}")).collect(),
    )
}

/// A file of the repository's fixtures.
pub(crate) fn fixture(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(name)
}

/// A file that developers have next to the repository; prints a message if it is missing.
pub(crate) fn shared(name: &str) -> Option<PathBuf> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared").join(name);
    if path.exists() {
        return Some(path);
    }
    // Past the test harness, which swallows what a passing test prints.
    drop(writeln!(std::io::stderr(), "skipped: {name} (../shared is not here)"));
    None
}
