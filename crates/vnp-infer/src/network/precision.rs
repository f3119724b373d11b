//! What half precision costs, and the parity models on whatever devices there are.

use std::sync::Arc;

use candle_core::{DType, Device};
use safetensors::Dtype;
use serde_json::Value;

use super::dnabert::DnabertNetwork;
use super::esm2::Esm2Network;
use super::{Forward, Network as _, OnCandle};
use crate::bundle::import::read_esm2;
use crate::encoder::dnabert::select;
use crate::testing::fixture;
use crate::tokenizer::esm2::tokenize;
use crate::weights::TensorSource as _;
use crate::weights::file::TensorFile;
use crate::{DnabertConfig, Precision};

/// The largest difference of a mean, absolute up to 1 and relative beyond, between the small
/// models of the tests in this format and PyTorch in f32.
pub(crate) const TOLERANCES: [(DType, f32); 3] =
    [(DType::F32, 1e-5), (DType::F16, 5e-3), (DType::BF16, 4e-2)];

fn expected(name: &str) -> Vec<f32> {
    let file = TensorFile::open(&fixture("parity/expected.safetensors")).unwrap();
    assert_eq!(file.info(name).unwrap().dtype, Dtype::F32, "{name}");
    file.bytes(name).unwrap().as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// Names and sequences of one encoder's cases.
fn cases(encoder: &str) -> Vec<(String, String)> {
    let json = fs_err::read(fixture("parity/cases.json")).unwrap();
    let cases: Value = serde_json::from_slice(&json).unwrap();
    serde_json::from_value(cases[encoder]["sequences"].clone()).unwrap()
}

fn check(
    what: &str,
    network: impl Forward,
    device: &Device,
    (dtype, tolerance): (DType, f32),
    tokens: &[Vec<u32>],
    expected: &[f32],
) {
    let found = OnCandle::new(network, device, 500).embed(tokens).unwrap();
    assert_eq!(found.len(), expected.len(), "{what}");
    let worst = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / b.abs().max(1.0));
    // Not `f32::max`, which would lose a NaN.
    let worst = worst.fold(0.0, |worst, x| if x <= worst { worst } else { x });
    println!("{what} in {dtype:?} on {:?}: {worst:.1e}", device.location());
    assert!(worst <= tolerance, "{what} in {dtype:?} differs by {worst:e}");
}

/// The CPU, and the first GPU where there is one.
fn devices() -> Vec<Device> {
    let cuda = crate::DeviceSpec::Cuda(0).open(Precision::F32);
    if let Err(reason) = &cuda {
        println!("skipped on CUDA: {reason}");
    }
    [Device::Cpu].into_iter().chain(cuda).collect()
}

#[test]
fn esm2_means_in_every_precision() {
    let files = read_esm2(&fixture("parity/esm2")).unwrap();
    let tokens: Vec<Vec<u32>> = cases("esm2").iter().map(|(_, p)| tokenize(p)).collect();
    let expected = expected("esm2.mean");
    for device in devices() {
        for precision in TOLERANCES {
            let network = Esm2Network::load(&files.config, &files.weights, precision.0, &device);
            check("ESM-2", network.unwrap(), &device, precision, &tokens, &expected);
        }
    }
}

#[test]
fn dnabert_means_in_every_precision() {
    let json = fs_err::read(fixture("parity/dnabert/config.json")).unwrap();
    let config: DnabertConfig = serde_json::from_slice(&json).unwrap();
    let file = TensorFile::open(&fixture("parity/dnabert/model.safetensors")).unwrap();
    let weights = select(&config, Arc::new(file)).unwrap();
    let ids = TensorFile::open(&fixture("parity/expected.safetensors")).unwrap();
    let ids = |name: &str| -> Vec<u32> {
        let bytes = ids.bytes(&format!("dnabert.{name}.ids")).unwrap();
        bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as u32).collect()
    };
    let names: Vec<String> = cases("dnabert").into_iter().map(|(name, _)| name).collect();
    let tokens: Vec<Vec<u32>> = names.iter().map(|name| ids(name)).collect();
    let expected: Vec<f32> =
        names.iter().flat_map(|name| expected(&format!("dnabert.{name}.mean"))).collect();
    for device in devices() {
        for precision in TOLERANCES {
            let network = DnabertNetwork::load(&config, &weights, precision.0, &device);
            check("DNABERT", network.unwrap(), &device, precision, &tokens, &expected);
        }
    }
}
