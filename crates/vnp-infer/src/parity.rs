//! Every tensor that PyTorch computed for the parity models, compared with ours.

mod paths;
pub(crate) mod precision;

use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use safetensors::Dtype;
use serde_json::Value;

use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::architecture::{Architecture, NetworkSource};
use crate::bundle::distribution::{read_esm2, read_head};
use crate::candle::CandleNetwork;
use crate::candle::pack::Pack;
use crate::candle::transformer::Transformer;
use crate::encoder::{Encoder, ModelOptions};
use crate::head::Head;
use crate::model::load_dnabert;
use crate::network::Network as _;
use crate::testing::{fixture, shared};
use crate::tokenizer::Tokenizer as _;
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::tokenizer::esm2::tokenize;
use crate::weights::TensorSource;
use crate::weights::file::TensorFile;

/// The largest difference allowed, absolute for values up to 1 and relative beyond (the head's logits
/// reach 130, where one step of f32 is 1.5e-5); measured differences are in docs/NUMERICS.md.
const TOLERANCE: f32 = 1e-5;

struct Expected(TensorFile);

impl Expected {
    fn open() -> Self {
        Self(TensorFile::open(&fixture("parity/expected.safetensors")).unwrap())
    }

    fn floats(&self, name: &str) -> Vec<f32> {
        assert_eq!(self.0.info(name).unwrap().dtype, Dtype::F32, "{name}");
        self.0.bytes(name).unwrap().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
    }

    fn ids(&self, name: &str) -> Vec<u32> {
        assert_eq!(self.0.info(name).unwrap().dtype, Dtype::I64, "{name}");
        let bytes = self.0.bytes(name).unwrap();
        bytes.as_chunks().0.iter().map(|b| u32::try_from(i64::from_le_bytes(*b)).unwrap()).collect()
    }

    /// The largest difference, absolute up to 1 and relative beyond.
    fn worst(&self, name: &str, found: &[f32]) -> f32 {
        largest_difference(found, &self.floats(name))
    }

    fn check(&self, name: &str, found: &[f32]) {
        let worst = self.worst(name, found);
        println!("{name}: {worst:.1e}");
        assert!(worst <= TOLERANCE, "{name} differs by {worst:e}");
    }
}

/// The largest difference, absolute up to 1 and relative beyond; NaN if there is one.
pub(crate) fn largest_difference(found: &[f32], expected: &[f32]) -> f32 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    // Not `f32::max`, which would lose a NaN.
    differences.fold(0.0, |worst, x| if x <= worst { worst } else { x })
}

/// Names and sequences of one encoder's cases.
fn cases(encoder: &str) -> Vec<(String, String)> {
    let json = fs_err::read(fixture("parity/cases.json")).unwrap();
    let cases: Value = serde_json::from_slice(&json).unwrap();
    serde_json::from_value(cases[encoder]["sequences"].clone()).unwrap()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn esm2() -> NetworkSource<Esm2Config> {
    let source = read_esm2(&fixture("parity/esm2")).unwrap();
    assert_eq!(source.weights.unused().len(), 7, "{:?}", source.weights.unused());
    source
}

fn dnabert() -> NetworkSource<DnabertConfig> {
    let json = fs_err::read(fixture("parity/dnabert/config.json")).unwrap();
    let config: DnabertConfig = serde_json::from_slice(&json).unwrap();
    let file = TensorFile::open(&fixture("parity/dnabert/model.safetensors")).unwrap();
    let source = NetworkSource::new(config, Arc::new(file)).unwrap();
    assert_eq!(source.weights.unused().len(), 2, "{:?}", source.weights.unused());
    source
}

/// A network on the CPU by candle's operations, in f32.
fn on_candle<A: Architecture>(source: &NetworkSource<A>) -> Transformer {
    let (plan, weights) = (source.config.plan(), &source.weights);
    Transformer::load(&plan, weights, DType::F32, &Device::Cpu).unwrap()
}

/// The tokens of ESM-2's cases.
fn protein_tokens() -> Vec<Vec<u32>> {
    cases("esm2").iter().map(|(_, protein)| tokenize(protein)).collect()
}

/// The names and tokens of DNABERT's cases.
fn nucleotide_tokens(expected: &Expected) -> Vec<(String, Vec<u32>)> {
    let ids = |name: &str| expected.ids(&format!("dnabert.{name}.ids"));
    cases("dnabert").into_iter().map(|(name, _)| (name.clone(), ids(&name))).collect()
}

/// The number of tokens that differ from PyTorch's.
fn esm2_token_differences(expected: &Expected) -> f32 {
    let shape = &expected.0.info("esm2.tokens").unwrap().shape;
    let ids = expected.ids("esm2.tokens");
    let mut differences = 0.0;
    for ((_, protein), ids) in cases("esm2").iter().zip(ids.chunks(shape[1])) {
        let mut found = tokenize(protein);
        found.resize(shape[1], 1);
        differences += found.iter().zip(ids).filter(|(found, id)| found != id).count() as f32;
    }
    differences
}

#[test]
fn esm2_tokens() {
    assert_eq!(esm2_token_differences(&Expected::open()), 0.0);
}

#[test]
fn esm2_layers() {
    let expected = Expected::open();
    let network = on_candle(&esm2());
    let tokens =
        Pack::new([protein_tokens()[0].as_slice()]).upload(&Device::Cpu, |n| 0..n).unwrap();
    let mut seen = 0;
    let last = network
        .forward(&tokens, &mut |layer, x| {
            if layer < 2 {
                expected.check(&format!("esm2.first.layer{layer}"), &flat(x));
            }
            seen += 1;
        })
        .unwrap();
    expected.check("esm2.first.last", &flat(&last));
    assert_eq!(seen, 4);
}

#[test]
fn esm2_means() {
    let network = CandleNetwork::new(on_candle(&esm2()), &Device::Cpu, 500);
    let found = network.embed(&protein_tokens()).unwrap();
    Expected::open().check("esm2.mean", &found);
}

#[test]
fn dnabert_tokens() {
    let Some(path) = shared("models/dnabert/tokenizer.json") else {
        return;
    };
    let tokenizer = DnabertTokenizer::new("t", &fs_err::read(path).unwrap()).unwrap();
    tokenizer.check_vocabulary(4096).unwrap();
    let expected = Expected::open();
    for (name, sequence) in cases("dnabert") {
        let ids = expected.ids(&format!("dnabert.{name}.ids"));
        assert_eq!(tokenizer.tokenize(&sequence).unwrap(), ids, "{name}");
        println!("dnabert.{name}.ids: equal");
    }
}

#[test]
fn dnabert_hidden() {
    let expected = Expected::open();
    let network = on_candle(&dnabert());
    let ids = expected.ids("dnabert.d2.ids");
    let tokens = Pack::new([ids.as_slice()]).upload(&Device::Cpu, |n| 0..n).unwrap();
    let found = network.forward(&tokens, &mut |_, _| {}).unwrap();
    expected.check("dnabert.d2.hidden", &flat(&found));
}

#[test]
fn dnabert_means() {
    let expected = Expected::open();
    let source = dnabert();
    let network = CandleNetwork::new(on_candle(&source), &Device::Cpu, 1000);
    let (names, tokens): (Vec<_>, Vec<_>) = nucleotide_tokens(&expected).into_iter().unzip();
    let found = network.embed(&tokens).unwrap();
    for (name, found) in names.iter().zip(found.chunks(source.config.hidden_size)) {
        expected.check(&format!("dnabert.{name}.mean"), found);
    }
}

/// Alone, some together, all together: the same within 1e-6.
#[test]
fn packing_changes_nothing() {
    let (_, nucleotides): (Vec<_>, Vec<_>) =
        nucleotide_tokens(&Expected::open()).into_iter().unzip();
    let networks = [(on_candle(&esm2()), protein_tokens()), (on_candle(&dnabert()), nucleotides)];
    for (network, tokens) in networks {
        let embed = |budget| {
            CandleNetwork::new(network.clone(), &Device::Cpu, budget).embed(&tokens).unwrap()
        };
        let alone = embed(0);
        for budget in [500, 100_000] {
            let packed = embed(budget);
            let worst = packed.iter().zip(&alone).map(|(a, b)| (a - b).abs());
            let worst = worst.fold(0.0, |worst, x| if x <= worst { worst } else { x });
            println!("packed to a budget of {budget}: {worst:.1e}");
            assert!(worst <= 1e-6, "{worst:e} with a budget of {budget}");
        }
    }
}

#[test]
fn dnabert_means_from_text() {
    let Some(tokenizer) = shared("models/dnabert/tokenizer.json") else {
        return;
    };
    let options = ModelOptions::default();
    let encoder = load_dnabert(&fixture("parity/dnabert"), Some(&tokenizer), &options).unwrap();
    let expected = Expected::open();
    for (name, sequence) in cases("dnabert") {
        let found = encoder.embed(&[&sequence]).unwrap();
        expected.check(&format!("dnabert.{name}.mean"), &found);
    }
}

const NUCLEOTIDE_SIZE: usize = 96;
const PROTEIN_SIZE: usize = 64;

/// The head's input as two embeddings.
fn head_input(expected: &Expected) -> (Vec<f32>, Vec<f32>) {
    let input = expected.floats("head.input");
    let rows = || input.chunks(NUCLEOTIDE_SIZE + PROTEIN_SIZE);
    (
        rows().flat_map(|row| row[..NUCLEOTIDE_SIZE].to_vec()).collect(),
        rows().flat_map(|row| row[NUCLEOTIDE_SIZE..].to_vec()).collect(),
    )
}

#[test]
fn head() {
    let expected = Expected::open();
    let weights = read_head(&fixture("parity/head.safetensors")).unwrap();
    assert_eq!(weights.unused(), ["bn1.num_batches_tracked"]);
    let head = Head::load(&weights, NUCLEOTIDE_SIZE, PROTEIN_SIZE).unwrap();
    let (nucleotide, protein) = head_input(&expected);
    expected.check("head.logits", head.logits(&nucleotide, &protein).unwrap().as_flattened());
    expected.check("head.probabilities", head.score(&nucleotide, &protein).unwrap().as_flattened());
}
