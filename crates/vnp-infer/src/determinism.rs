//! Tests that a row depends on its sequence alone, as docs/NUMERICS.md promises.

use proptest::prelude::*;
use rayon::ThreadPoolBuilder;

use crate::device::DeviceSpec;
use crate::encoder::transformer::{Dnabert, Esm2};
use crate::encoder::{Encoder, ModelOptions};
use crate::error::Error;
use crate::testing::{Random, dnabert_config, esm2_config, random_tensors, tokenizer_json};

const RESIDUES: &str = "LAGVSERTIDPKQNFYMHWC";

fn on_cpu() -> ModelOptions {
    ModelOptions { device: DeviceSpec::Cpu, ..ModelOptions::default() }
}

fn esm2(hidden: usize, heads: usize) -> Esm2 {
    let config = esm2_config(hidden, 2, heads);
    Esm2::new(&config, random_tensors(config.tensors(), 7), &on_cpu()).unwrap()
}

fn dnabert(hidden: usize, heads: usize) -> Dnabert {
    let config = dnabert_config(hidden, 2, heads);
    let tensors = random_tensors(config.tensors(), 8);
    Dnabert::new(&config, tensors, &tokenizer_json(), &on_cpu()).unwrap()
}

/// Sequences of every awkward length, and some of equal length.
fn sequences(alphabet: &str) -> Vec<String> {
    let mut random = Random::new(3);
    [1, 2, 3, 15, 16, 17, 63, 64, 65, 127, 128, 129, 130, 166, 166, 166, 256, 300]
        .map(|length| random.text(alphabet, length))
        .to_vec()
}

/// Every fourth, for networks that are slow to run.
fn some(sequences: Vec<String>) -> Vec<String> {
    sequences.into_iter().step_by(4).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|x| x.to_bits()).collect()
}

fn with_threads<T: Send>(threads: usize, f: impl FnOnce() -> T + Send) -> T {
    ThreadPoolBuilder::new().num_threads(threads).build().unwrap().install(f)
}

/// Each row alone on one thread, against batches of every composition on 1, 2 and 3 threads.
fn check_rows(encoder: &dyn Encoder, sequences: &[String]) {
    let width = encoder.hidden_size();
    let alone: Vec<Vec<u32>> = with_threads(1, || {
        sequences.iter().map(|sequence| bits(&encoder.embed(&[sequence]).unwrap())).collect()
    });
    assert!(alone.iter().flatten().all(|x| f32::from_bits(*x).is_finite()));
    let forward: Vec<usize> = (0..sequences.len()).collect();
    let backward: Vec<usize> = forward.iter().rev().copied().collect();
    let doubled: Vec<usize> = forward.iter().flat_map(|i| [*i, 0, *i]).collect();
    for threads in [1, 2, 3] {
        for order in [&forward, &backward, &doubled] {
            let batch: Vec<&str> = order.iter().map(|i| sequences[*i].as_str()).collect();
            let found = with_threads(threads, || encoder.embed(&batch).unwrap());
            for (index, row) in order.iter().zip(found.chunks(width)) {
                assert!(bits(row) == alone[*index], "row {index} with {threads} threads");
            }
        }
    }
}

#[test]
fn esm2_rows_depend_on_their_sequence_alone() {
    check_rows(&esm2(64, 4), &sequences(RESIDUES));
    check_rows(&esm2(320, 20), &some(sequences(RESIDUES)));
}

#[test]
fn dnabert_rows_depend_on_their_sequence_alone() {
    check_rows(&dnabert(96, 12), &sequences("ACGT"));
    check_rows(&dnabert(320, 5), &some(sequences("ACGTN")));
}

#[test]
fn empty_sequences_give_nan_and_harm_no_other() {
    for encoder in [Box::new(esm2(64, 4)) as Box<dyn Encoder>, Box::new(dnabert(24, 3))] {
        let width = encoder.hidden_size();
        let found = encoder.embed(&["ACG", "", "ACG"]).unwrap();
        assert!(found[width..2 * width].iter().all(|x| x.is_nan()), "{}", encoder.name());
        assert_eq!(found[..width], found[2 * width..]);
        assert!(encoder.embed(&[]).unwrap().is_empty());
    }
}

#[test]
fn overflow_is_returned_as_such() {
    let config = esm2_config(16, 1, 2);
    let mut tensors = random_tensors(config.tensors(), 7);
    tensors.insert_f32("encoder.emb_layer_norm_after.bias", &[16], &[f32::INFINITY; 16]);
    let encoder = Esm2::new(&config, tensors, &on_cpu()).unwrap();
    assert!(encoder.embed(&["MAS"]).unwrap().iter().all(|x| !x.is_finite()));
}

#[test]
fn proteins_beyond_the_limit_are_cut() {
    let encoder = esm2(16, 2);
    let protein = Random::new(5).text(RESIDUES, 1500);
    assert_eq!(encoder.embed(&[&protein]).unwrap(), encoder.embed(&[&protein[..1024]]).unwrap());
    assert_ne!(encoder.embed(&[&protein]).unwrap(), encoder.embed(&[&protein[..1023]]).unwrap());
}

#[test]
fn long_nucleotide_sequences_are_taken_whole() {
    let encoder = dnabert(24, 3);
    let sequence = Random::new(5).text("ACGT", 3_000);
    let (whole, cut) =
        (encoder.embed(&[&sequence]).unwrap(), encoder.embed(&[&sequence[..2_900]]).unwrap());
    assert!(whole.iter().all(|x| x.is_finite()));
    assert_ne!(whole, cut);
}

#[test]
fn tensors_of_another_network_are_refused() {
    let config = esm2_config(16, 2, 2);
    let with = |layers, hidden| random_tensors(esm2_config(hidden, layers, 2).tensors(), 1);
    let Err(Error::MissingTensor { name, expected, .. }) =
        Esm2::new(&config, with(1, 16), &on_cpu())
    else {
        panic!()
    };
    assert_eq!(name, "encoder.layer.1.attention.LayerNorm.weight");
    assert_eq!(expected, [16]);
    let Err(Error::TensorShape { name, expected, found, .. }) =
        Esm2::new(&config, with(2, 12), &on_cpu())
    else {
        panic!()
    };
    assert_eq!(name, "embeddings.word_embeddings.weight");
    assert_eq!((expected, found), (vec![33, 16], vec![33, 12]));
    let Err(Error::SurplusTensors { names, .. }) = Esm2::new(&config, with(3, 16), &on_cpu())
    else {
        panic!()
    };
    assert_eq!(names.len(), 16);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// Any text at all is a row, never a panic.
    #[test]
    fn any_text_is_embedded(texts in prop::collection::vec("\\PC{0,40}|[acgtnryACGTN \t]{0,40}", 1..6)) {
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        for encoder in [Box::new(esm2(16, 2)) as Box<dyn Encoder>, Box::new(dnabert(24, 3))] {
            let found = encoder.embed(&texts).unwrap();
            prop_assert_eq!(found.len(), texts.len() * encoder.hidden_size());
        }
    }
}
