//! Packs against each sequence alone, and devices whose memory is too small.

use std::ops::Range;
use std::sync::Mutex;

use candle_core::{DType, Device, Error as CandleError, Result as CandleResult, Tensor};

use super::pack::Tokens;
use super::transformer::Transformer;
use super::*;
use crate::architecture::Architecture;
use crate::error::Error;
use crate::testing::{Random, dnabert_config, esm2_config, random_network};

/// Ids of every awkward length, and some of equal length.
fn sequences(ids: Range<u32>) -> Vec<Vec<u32>> {
    let mut random = Random::new(3);
    let width = u64::from(ids.end - ids.start);
    let mut id = || ids.start + u32::try_from(random.next() % width).unwrap();
    [3, 4, 17, 18, 19, 65, 66, 67, 130, 168, 168, 168, 258]
        .map(|length| (0..length).map(|_| id()).collect())
        .to_vec()
}

fn check(config: impl Architecture, sequences: &[Vec<u32>]) {
    let (plan, weights) = random_network(config, 1);
    let network = Transformer::load(&plan, &weights, DType::F32, &Device::Cpu).unwrap();
    let embed = |budget| {
        CandleNetwork::new(network.clone(), &Device::Cpu, budget).embed(sequences).unwrap()
    };
    let alone = embed(0);
    for budget in [1, 100, 600, 100_000] {
        let found = embed(budget);
        let pairs = || found.iter().zip(&alone);
        assert!(pairs().all(|(a, b)| a.is_finite() && b.is_finite()));
        let worst = pairs().map(|(a, b)| (a - b).abs() / b.abs().max(1.0)).fold(0.0, f32::max);
        assert!(worst <= 2e-6, "{worst:e} with a budget of {budget}");
    }
}

#[test]
fn packing_changes_nothing() {
    for (hidden, heads) in [(64, 4), (24, 1)] {
        check(esm2_config(hidden, 3, heads), &sequences(4..24));
        // With masks, which change the scale of their sequence alone.
        check(esm2_config(hidden, 3, heads), &sequences(20..33));
    }
    check(dnabert_config(96, 3, 12), &sequences(5..300));
}

/// A network whose embedding of a sequence is the id of its tokens, on a device that holds `fits`
/// tokens.
struct Small {
    fits: usize,
    tried: Mutex<Vec<usize>>,
    failure: &'static str,
}

impl Small {
    fn new(fits: usize) -> Self {
        Self { fits, tried: Mutex::default(), failure: "DriverError(CUDA_ERROR_OUT_OF_MEMORY)" }
    }
}

impl Forward for Small {
    fn hidden_size(&self) -> usize {
        1
    }

    fn pooled(&self, tokens: usize) -> Range<usize> {
        0..tokens
    }

    fn means(&self, tokens: &Tokens) -> CandleResult<Tensor> {
        self.tried.lock().unwrap().push(tokens.len());
        if tokens.len() > self.fits {
            return Err(CandleError::Msg(self.failure.to_owned()).bt());
        }
        let ids: Vec<f32> = tokens.pack.sequences().map(|ids| ids[0] as f32).collect();
        let count = ids.len();
        Tensor::from_vec(ids, (count, 1), &Device::Cpu)
    }
}

/// Sequences of these lengths; every token of sequence n is n.
fn rows(lengths: &[usize]) -> Vec<Vec<u32>> {
    (0..).zip(lengths).map(|(id, length)| vec![id; *length]).collect()
}

fn check_halving(fits: usize, lengths: &[usize], budget: usize, tried: &[usize]) {
    let network = CandleNetwork::new(Small::new(fits), &Device::Cpu, budget);
    let found = network.embed(&rows(lengths)).unwrap();
    for ((row, found), length) in found.iter().enumerate().zip(lengths) {
        let [row, found] = [row as f32, *found];
        assert!(if *length == 0 { found.is_nan() } else { row == found }, "{row} {found}");
    }
    assert_eq!(*network.network.tried.lock().unwrap(), tried);
}

#[test]
fn too_little_memory_halves_the_budget() {
    check_halving(10, &[2, 3, 4], 100, &[9]);
    check_halving(4, &[2, 2, 2, 2], 100, &[8, 4, 4]);
    check_halving(3, &[2, 2, 2, 2], 100, &[8, 4, 2, 2, 2, 2]);
    // The packs after the failed one are cut again, and finished packs are not computed again.
    check_halving(5, &[1, 5, 1, 0, 1, 1, 1, 1], 6, &[6, 5, 3, 3]);
    check_halving(7, &[7, 7, 1, 1, 1], 8, &[7, 8, 7, 3]);
}

#[test]
fn a_smaller_budget_is_kept() {
    let network = CandleNetwork::new(Small::new(4), &Device::Cpu, 100);
    let rows = rows(&[2, 2, 2, 2]);
    network.embed(&rows).unwrap();
    network.network.tried.lock().unwrap().clear();
    let mut groups = [Ok(rows.clone()), Ok(Vec::new()), Ok(rows)].into_iter();
    let found = network.embed_groups(&mut groups, &|| false).unwrap();
    assert_eq!(found, [0., 1., 2., 3., 0., 1., 2., 3.]);
    assert_eq!(*network.network.tried.lock().unwrap(), [4, 4, 4, 4]);
}

#[test]
fn a_sequence_that_does_not_fit_is_an_error() {
    let network = CandleNetwork::new(Small::new(4), &Device::Cpu, 100);
    let Err(Error::OutOfMemory { device, tokens }) = network.embed(&rows(&[2, 5, 1])) else {
        panic!()
    };
    assert_eq!(tokens, 5);
    assert!(device.starts_with("cpu"), "{device}");
}

#[test]
fn other_failures_are_not_tried_again() {
    let small = Small { failure: "DriverError(CUDA_ERROR_ILLEGAL_ADDRESS)", ..Small::new(1) };
    let network = CandleNetwork::new(small, &Device::Cpu, 100);
    let Err(Error::Compute { what, .. }) = network.embed(&rows(&[1, 1])) else { panic!() };
    assert_eq!(what, "embedding");
    assert_eq!(*network.network.tried.lock().unwrap(), [2]);
}
