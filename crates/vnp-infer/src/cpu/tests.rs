use std::sync::Arc;

use candle_core::{DType, Device, Tensor};
use rayon::ThreadPoolBuilder;
use vnp_kernels::{Cpu, Precision};

use super::*;
use crate::batch::Pack;
use crate::network::Forward;
use crate::network::dnabert::DnabertNetwork;
use crate::network::esm2::Esm2Network;
use crate::testing::{Random, dnabert_config, esm2_config, random_tensors};
use crate::weights::Weights;
use crate::{DnabertConfig, Esm2Config};

/// A network of this module and candle's of the same weights.
struct Pair {
    name: String,
    own: Box<dyn Layers>,
    reference: Box<dyn Forward>,
    vocabulary: u64,
}

/// A network of this module whatever its tokens.
trait Layers: Network {
    fn layers(&self, ids: &[u32]) -> Vec<Vec<f32>>;
}

impl<T: Tokens> Layers for OnCpu<T> {
    fn layers(&self, ids: &[u32]) -> Vec<Vec<f32>> {
        let mut seen = Vec::new();
        let mut buffers = Buffers::default();
        let last = self.forward(&[ids], &mut buffers, &mut |_, x| seen.push(x.to_vec())).unwrap();
        let last = last.to_vec();
        seen.push(last);
        seen
    }
}

fn esm2_weights(config: &Esm2Config) -> Weights {
    crate::encoder::esm2::select(config, Arc::new(random_tensors(config.tensors(), 1))).unwrap()
}

fn dnabert_weights(config: &DnabertConfig) -> Weights {
    crate::encoder::dnabert::select(config, Arc::new(random_tensors(config.tensors(), 2))).unwrap()
}

/// Both networks on every CPU and precision that is here, at head sizes that need masks and not.
fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let precisions = [Precision::F32, Precision::Bf16];
    for (cpu, precision) in
        Cpu::available().into_iter().flat_map(|cpu| precisions.map(|precision| (cpu, precision)))
    {
        if !cpu.has(precision) {
            continue;
        }
        for (hidden, heads) in [(64, 4), (48, 2), (128, 2)] {
            let name = format!("{} {precision:?} {hidden}/{heads}", cpu.name());
            let config = esm2_config(hidden, 2, heads);
            let weights = esm2_weights(&config);
            let reference = Esm2Network::load(&config, &weights, DType::F32, &Device::Cpu).unwrap();
            pairs.push(Pair {
                name: format!("esm2 {name}"),
                own: Box::new(esm2::load(&config, &weights, cpu, precision).unwrap()),
                reference: Box::new(reference),
                vocabulary: 33,
            });
            let config = dnabert_config(hidden, 2, heads);
            let weights = dnabert_weights(&config);
            let reference =
                DnabertNetwork::load(&config, &weights, DType::F32, &Device::Cpu).unwrap();
            pairs.push(Pair {
                name: format!("dnabert {name}"),
                own: Box::new(dnabert::load(&config, &weights, cpu, precision).unwrap()),
                reference: Box::new(reference),
                vocabulary: 300,
            });
        }
    }
    pairs
}

fn sequences(vocabulary: u64) -> Vec<Vec<u32>> {
    let mut random = Random::new(5);
    // Padding is no token.
    [3, 4, 12, 13, 33, 100, 168, 168, 250]
        .map(|length| (0..length).map(|_| (4 + random.next() % (vocabulary - 4)) as u32).collect())
        .to_vec()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Every layer against candle's operations: two codes that round differently in f32, and in bf16 the
/// rounding of operands.
#[test]
fn every_layer_is_that_of_candle() {
    for pair in pairs() {
        let tolerance = if pair.name.contains("Bf16") { 6e-2 } else { 1e-5 };
        for ids in sequences(pair.vocabulary) {
            let mut expected = Vec::new();
            let tokens = Pack::new([ids.as_slice()]).upload(&Device::Cpu, |n| 0..n).unwrap();
            let observe = &mut |_: usize, x: &Tensor| expected.push(flat(x));
            let last = pair.reference.forward(&tokens, observe).unwrap();
            expected.push(flat(&last));
            let found = pair.own.layers(&ids);
            assert_eq!(found.len(), expected.len());
            for (layer, (found, expected)) in found.iter().zip(&expected).enumerate() {
                assert_eq!(found.len(), expected.len());
                for (a, b) in found.iter().zip(expected) {
                    let difference = (a - b).abs() / b.abs().max(1.0);
                    assert!(difference <= tolerance, "{} layer {layer}: {a} {b}", pair.name);
                }
            }
        }
    }
}

/// Alone on one thread, or packed in any order on several: the same bits.
#[test]
fn packs_order_and_threads_change_no_bit() {
    for pair in pairs() {
        let hidden = pair.own.hidden_size();
        let sequences = sequences(pair.vocabulary);
        let embed = |threads: usize, sequences: &[Vec<u32>]| {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            pool.install(|| pair.own.embed(sequences).unwrap())
        };
        let alone: Vec<f32> =
            sequences.iter().flat_map(|ids| embed(1, std::slice::from_ref(ids))).collect();
        assert!(alone.iter().all(|x| x.is_finite()), "{}", pair.name);
        let backward: Vec<Vec<u32>> = sequences.iter().rev().cloned().collect();
        for threads in [1, 2, 3] {
            assert!(embed(threads, &sequences) == alone, "{} on {threads} threads", pair.name);
            let found = embed(threads, &backward);
            let forward: Vec<f32> = found.chunks(hidden).rev().flatten().copied().collect();
            assert!(forward == alone, "{} backward on {threads} threads", pair.name);
        }
    }
}

/// A sequence without residue or base, and one whose vectors are no numbers, harm no other.
#[test]
fn empty_sequences_are_nan() {
    for pair in pairs() {
        let hidden = pair.own.hidden_size();
        let found = pair.own.embed(&[vec![1, 5, 2], vec![0, 2], vec![], vec![1, 5, 2]]).unwrap();
        assert!(found[hidden..3 * hidden].iter().all(|x| x.is_nan()), "{}", pair.name);
        assert_eq!(found[..hidden], found[3 * hidden..], "{}", pair.name);
    }
}
