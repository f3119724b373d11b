//! The cost of half precision, with the parity models on every device of this machine.

use candle_core::{DType, Device};

use super::*;
use crate::device::DeviceSpec;
use crate::precision::Precision;

/// The largest difference of a mean, absolute up to 1 and relative beyond, between the small
/// models of the tests in this format and PyTorch in f32.
pub(crate) const TOLERANCES: [(DType, f32); 3] =
    [(DType::F32, 1e-5), (DType::F16, 5e-3), (DType::BF16, 4e-2)];

/// The CPU, and the first GPU where there is one.
fn devices() -> Vec<Device> {
    let cuda = DeviceSpec::Cuda(0).open(Precision::F32);
    if let Err(reason) = &cuda {
        println!("skipped on CUDA: {reason}");
    }
    [Device::Cpu].into_iter().chain(cuda).collect()
}

fn check<A: Architecture>(
    what: &str,
    source: &NetworkSource<A>,
    tokens: &[Vec<u32>],
    expected: &[f32],
) {
    for device in devices() {
        for (dtype, tolerance) in TOLERANCES {
            let (plan, weights) = (source.config.plan(), &source.weights);
            let network = Transformer::load(&plan, weights, dtype, &device).unwrap();
            let found = CandleNetwork::new(network, &device, 500).embed(tokens).unwrap();
            let worst = largest_difference(&found, expected);
            println!("{what} in {dtype:?} on {:?}: {worst:.1e}", device.location());
            assert!(worst <= tolerance, "{what} in {dtype:?} differs by {worst:e}");
        }
    }
}

#[test]
fn esm2_means_in_every_precision() {
    check("ESM-2", &esm2(), &protein_tokens(), &Expected::open().floats("esm2.mean"));
}

#[test]
fn dnabert_means_in_every_precision() {
    let expected = Expected::open();
    let (names, tokens): (Vec<_>, Vec<_>) = nucleotide_tokens(&expected).into_iter().unzip();
    let mean = |name: &String| expected.floats(&format!("dnabert.{name}.mean"));
    let means: Vec<f32> = names.iter().flat_map(mean).collect();
    check("DNABERT", &dnabert(), &tokens, &means);
}
