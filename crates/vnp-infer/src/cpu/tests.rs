//! Networks on the CPU against candle's operations, and what must not change a bit.

use candle_core::{DType, Device, Tensor};
use rayon::ThreadPoolBuilder;

use super::*;
use crate::candle;
use crate::candle::pack::Pack;
use crate::testing::{Random, dnabert_config, esm2_config, random_network};

/// A network of this module and candle's of the same weights.
struct Pair {
    name: String,
    own: CpuNetwork,
    reference: candle::transformer::Transformer,
    vocabulary: u64,
}

/// The vectors before the first layer, after every layer, and the last ones.
fn layers(network: &CpuNetwork, ids: &[u32]) -> Vec<Vec<f32>> {
    let mut seen = Vec::new();
    let mut buffers = Buffers::default();
    let observe = &mut |_: usize, x: &[f32]| seen.push(x.to_vec());
    let last =
        network.transformer.forward(&[ids], &mut buffers, observe, &|| false).unwrap().to_vec();
    seen.push(last);
    seen
}

/// Both networks on every CPU and precision that is here, at head sizes that need masks and not.
fn pairs() -> Vec<Pair> {
    let mut pairs = Vec::new();
    let precisions = [Precision::F32, Precision::Bf16];
    let cpus = Cpu::available().into_iter();
    for (cpu, precision) in cpus.flat_map(|cpu| precisions.map(|precision| (cpu, precision))) {
        if !cpu.has(precision) {
            continue;
        }
        for (hidden, heads) in [(64, 4), (48, 2), (128, 2)] {
            let networks = [
                ("esm2", 33, random_network(esm2_config(hidden, 2, heads), 1)),
                ("dnabert", 300, random_network(dnabert_config(hidden, 2, heads), 2)),
            ];
            pairs.extend(networks.map(|(name, vocabulary, (plan, weights))| {
                Pair {
                    name: format!("{name} {} {precision:?} {hidden}/{heads}", cpu.name()),
                    own: CpuNetwork::load(&plan, &weights, cpu, precision).unwrap(),
                    reference: candle::transformer::Transformer::load(
                        &plan,
                        &weights,
                        DType::F32,
                        &Device::Cpu,
                    )
                    .unwrap(),
                    vocabulary,
                }
            }));
        }
    }
    pairs
}

fn sequences(vocabulary: u64) -> Vec<Vec<u32>> {
    let mut random = Random::new(5);
    // Ids from 4 on are residues or pieces.
    [3, 4, 12, 13, 33, 100, 168, 168, 250]
        .map(|length| (0..length).map(|_| (4 + random.next() % (vocabulary - 4)) as u32).collect())
        .to_vec()
}

fn flat(tensor: &Tensor) -> Vec<f32> {
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

/// Every layer against candle's operations: they round differently in f32, and in bf16 operands are
/// rounded.
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
            let found = layers(&pair.own, &ids);
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
        let hidden = pair.own.transformer.hidden();
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

/// A sequence without a residue or base harms no other.
#[test]
fn empty_sequences_are_nan() {
    for pair in pairs() {
        let hidden = pair.own.transformer.hidden();
        let found = pair.own.embed(&[vec![1, 5, 2], vec![0, 2], vec![], vec![1, 5, 2]]).unwrap();
        assert!(found[hidden..3 * hidden].iter().all(|x| x.is_nan()), "{}", pair.name);
        assert_eq!(found[..hidden], found[3 * hidden..], "{}", pair.name);
    }
}

/// A computation is given up wherever it is, soon after it is asked to, and the next one has the same bits.
#[test]
fn a_computation_is_given_up_between_steps() {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use crate::error::Error;
    use crate::network::Network as _;

    for pair in pairs() {
        let sequences = sequences(pair.vocabulary);
        let expected = pair.own.embed(&sequences).unwrap();
        let asked = AtomicUsize::new(0);
        let count = || asked.fetch_add(1, Ordering::Relaxed) == usize::MAX;
        pair.own.embed_unless(&sequences, &count).unwrap();
        let times = asked.load(Ordering::Relaxed);
        // Two layers: four products and the attention of each.
        assert!(times >= 2 * 5, "{}: asked {times} times", pair.name);
        for at in [0, 1, times / 2, times - 1] {
            asked.store(0, Ordering::Relaxed);
            let from = || asked.fetch_add(1, Ordering::Relaxed) >= at;
            let given_up = pair.own.embed_unless(&sequences, &from);
            assert!(matches!(given_up, Err(Error::Interrupted)), "{} at {at}", pair.name);
        }
        assert!(pair.own.embed(&sequences).unwrap() == expected, "{}", pair.name);
    }
}

/// Products of a very long sequence are taken block by block.
#[test]
fn a_long_sequence_is_cut_without_a_change() {
    let cpu = Cpu::detect();
    let (plan, weights) = random_network(dnabert_config(16, 1, 2), 3);
    let network = CpuNetwork::load(&plan, &weights, cpu, Precision::F32).unwrap().transformer;
    let ids: Vec<u32> = (0..9_000).map(|at| 4 + at % 290).collect();
    let asked = std::sync::atomic::AtomicUsize::new(0);
    let count = || {
        asked.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        false
    };
    let mut buffers = Buffers::default();
    let found = network.forward(&[&ids], &mut buffers, &mut |_, _| {}, &count).unwrap().to_vec();
    assert!(found.iter().all(|x| x.is_finite()));
    if network.packs_sequences() {
        // Four products in three blocks.
        assert!(asked.into_inner() >= 12);
    }
}
