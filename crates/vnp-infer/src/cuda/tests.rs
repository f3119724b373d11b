//! Kernels and networks on a GPU against the reference on CPU. Without a GPU every test here prints
//! that it was skipped, and why.

use std::io::Write as _;

use candle_core::{DType, Device, Tensor};

use super::device;
use super::ops::Fused;
use crate::architecture::Architecture;
use crate::architecture::plan::{Heads, default_inverse_frequencies};
use crate::candle::CandleNetwork;
use crate::candle::alibi::Alibi;
use crate::candle::norm::LayerNorm;
use crate::candle::ops::{Ops, Stream, Update};
use crate::candle::pack::{Pack, Tokens};
use crate::candle::plain::Plain;
use crate::candle::rotary::Rotary;
use crate::candle::transformer::Transformer;
use crate::network::Network as _;
use crate::parity::largest_difference;
use crate::parity::precision::TOLERANCES;
use crate::testing::{Random, dnabert_config, esm2_config, random_network};

const DTYPES: [DType; 3] = [DType::F32, DType::F16, DType::BF16];

/// The first GPU, or a message past the test harness.
fn gpu() -> Option<Device> {
    if device::count() > 0 {
        return Some(device::open(0).unwrap());
    }
    drop(writeln!(std::io::stderr(), "skipped: no CUDA device here"));
    None
}

/// The tolerance for rounding in a kernel: a few steps of the number format.
fn tolerance(dtype: DType) -> f32 {
    match dtype {
        DType::F32 => 1e-5,
        DType::F16 => 2e-3,
        _ => 1.6e-2,
    }
}

fn floats(tensor: &Tensor) -> Vec<f32> {
    let tensor = tensor.to_device(&Device::Cpu).unwrap().to_dtype(DType::F32).unwrap();
    tensor.flatten_all().unwrap().to_vec1().unwrap()
}

fn check(what: &str, found: &Tensor, expected: &Tensor, tolerance: f32) {
    assert_eq!(found.shape(), expected.shape(), "{what}");
    let worst = largest_difference(&floats(found), &floats(expected));
    println!("{what}: {worst:.1e}");
    assert!(worst <= tolerance, "{what} differs by {worst:e}");
}

/// A random tensor on the CPU, values of -1 to 1 times `scale`.
fn random(shape: (usize, usize), scale: f32, dtype: DType) -> Tensor {
    let mut random = Random::new((shape.0 * shape.1) as u64);
    let values: Vec<f32> = (0..shape.0 * shape.1).map(|_| scale * random.float()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap().to_dtype(dtype).unwrap()
}

fn vector(size: usize, scale: f32) -> Tensor {
    random((1, size), scale, DType::F32).flatten_all().unwrap()
}

fn tokens(lengths: &[usize], device: &Device) -> Tokens {
    let ids = vec![0; 200];
    let pack = Pack::new(lengths.iter().map(|length| &ids[..*length]));
    pack.upload(device, |length| 1..length.max(2) - 1).unwrap()
}

const LENGTHS: [usize; 7] = [3, 64, 65, 17, 128, 130, 1];

fn check_attention(gpu: &Device, heads: Heads, dtype: DType) {
    let on = |tensor: &Tensor| tensor.to_device(gpu).unwrap();
    let (here, there) = (tokens(&LENGTHS, &Device::Cpu), tokens(&LENGTHS, gpu));
    let hidden = heads.count * heads.size;
    let what = format!("{} heads of {} in {dtype:?}", heads.count, heads.size);
    let qkv = random((here.len(), 3 * hidden), 1.5, dtype);
    let bias = vector(3 * hidden, 0.5);
    let frequencies = default_inverse_frequencies(heads.size);
    let rotary = |device| Rotary::new(&frequencies, 200, device).unwrap();
    let alibi = |device| Alibi::new(heads.count, device).unwrap();
    for turns in [true, false].into_iter().filter(|turns| !turns || heads.size.is_multiple_of(2)) {
        let prepare = |ops: &dyn Ops, qkv: &Tensor, bias: &Tensor, rotary, tokens| {
            // A copy, because the kernel works in place.
            ops.prepare(qkv.copy().unwrap(), bias, heads, rotary, tokens).unwrap()
        };
        let (own, own_there) = (rotary(&Device::Cpu), rotary(gpu));
        let rotary = |rotary| turns.then_some(rotary);
        let expected = prepare(&Plain, &qkv, &bias, rotary(&own), &here);
        let found = prepare(&Fused, &on(&qkv), &on(&bias), rotary(&own_there), &there);
        check(&format!("prepared, {what}, rotated {turns}"), &found, &expected, tolerance(dtype));
        let (slopes, slopes_there) = (alibi(&Device::Cpu), alibi(gpu));
        let alibi = |alibi| (!turns).then_some(alibi);
        let found = Fused.attend(&on(&expected), heads, alibi(&slopes_there), &there).unwrap();
        let expected = Plain.attend(&expected, heads, alibi(&slopes), &here).unwrap();
        check(&format!("attended, {what}, rotated {turns}"), &found, &expected, tolerance(dtype));
    }
}

/// Heads and their size.
const ATTENTIONS: [(usize, usize); 9] =
    [(20, 16), (3, 20), (20, 24), (4, 32), (12, 64), (2, 7), (1, 100), (2, 128), (1, 200)];

#[test]
fn attention_of_every_size() {
    let Some(gpu) = gpu() else { return };
    for dtype in DTYPES {
        for (count, size) in ATTENTIONS {
            check_attention(&gpu, Heads { count, size }, dtype);
        }
    }
}

#[test]
fn feed_forward_of_every_width() {
    let Some(gpu) = gpu() else { return };
    let on = |tensor: &Tensor| tensor.to_device(&gpu).unwrap();
    for dtype in DTYPES {
        for width in [1, 10, 1280, 10_240] {
            let what = format!("of {width} in {dtype:?}");
            let (x, bias) = (random((5, 2 * width), 6.0, dtype), vector(2 * width, 1.0));
            let expected = Plain.bias_gelu(x.copy().unwrap(), &bias).unwrap();
            let found = Fused.bias_gelu(on(&x), &on(&bias)).unwrap();
            check(&format!("gelu {what}"), &found, &expected, tolerance(dtype));
            let (expected, found) = (Plain.gated_gelu(&x), Fused.gated_gelu(&on(&x)));
            check(&format!("gate {what}"), &found.unwrap(), &expected.unwrap(), tolerance(dtype));
        }
    }
}

fn check_norm(gpu: &Device, width: usize, computed: DType, dtype: DType, has_update: bool) {
    let on = |tensor: &Tensor| tensor.to_device(gpu).unwrap();
    let (residual, product) =
        (random((5, width), 4.0, DType::F32), random((5, width), 2.0, computed));
    let bias = vector(width, 1.0);
    let norm = LayerNorm { weight: vector(width, 2.0), bias: vector(width, 0.5), eps: 1e-5 };
    let norm_there = LayerNorm { weight: on(&norm.weight), bias: on(&norm.bias), eps: 1e-5 };
    let (product_there, bias_there) = (on(&product), on(&bias));
    for stream in [Stream::Sum, Stream::Norm] {
        let update = has_update.then_some(Update { product: &product, bias: &bias });
        let expected = Plain.add_norm(&residual, update, &norm, stream, dtype).unwrap();
        let update = has_update.then_some(Update { product: &product_there, bias: &bias_there });
        let found = Fused.add_norm(&on(&residual), update, &norm_there, stream, dtype).unwrap();
        let what = format!("{stream:?} of {width}, {computed:?} to {dtype:?}");
        assert_eq!((found.0.dtype(), found.1.dtype()), (DType::F32, dtype));
        check(&what, &found.0, &expected.0, tolerance(DType::F32));
        check(&format!("norm after {what}"), &found.1, &expected.1, tolerance(dtype));
    }
}

#[test]
fn norm_of_every_width() {
    let Some(gpu) = gpu() else { return };
    for width in [5, 64, 320, 768, 1027, 2560] {
        for dtype in DTYPES {
            check_norm(&gpu, width, dtype, dtype, true);
            check_norm(&gpu, width, dtype, DType::F32, true);
            check_norm(&gpu, width, dtype, dtype, false);
        }
    }
}

/// Sizes that no released model has, and that candle's operations compute.
#[test]
fn sizes_beyond_the_kernels() {
    let Some(gpu) = gpu() else { return };
    for dtype in DTYPES {
        check_attention(&gpu, Heads { count: 1, size: 256 }, dtype);
        check_attention(&gpu, Heads { count: 1, size: 7 }, dtype);
        check_norm(&gpu, 12_004, dtype, dtype, true);
    }
}

#[test]
fn means_of_sequences() {
    let Some(gpu) = gpu() else { return };
    for width in [3, 300] {
        let (here, there) = (tokens(&[3, 5, 130], &Device::Cpu), tokens(&[3, 5, 130], &gpu));
        let hidden = random((here.len(), width), 3.0, DType::F32);
        let found = Fused.mean(&hidden.to_device(&gpu).unwrap(), &there).unwrap();
        check("mean", &found, &Plain.mean(&hidden, &here).unwrap(), 1e-6);
    }
}

/// A whole network, in packs of one sequence and of many, against f32 on CPU.
fn check_network(gpu: &Device, what: &str, config: impl Architecture, sequences: &[Vec<u32>]) {
    let (plan, weights) = random_network(config, 1);
    let embed = |dtype, device, budget| {
        let network = Transformer::load(&plan, &weights, dtype, device).unwrap();
        CandleNetwork::new(network, device, budget).embed(sequences).unwrap()
    };
    let tensor = |values: Vec<f32>| Tensor::new(values, &Device::Cpu).unwrap();
    let expected = tensor(embed(DType::F32, &Device::Cpu, 0));
    for (dtype, tolerance) in TOLERANCES {
        for budget in [0, 300, 100_000] {
            let found = tensor(embed(dtype, gpu, budget));
            check(&format!("{what} in {dtype:?}"), &found, &expected, tolerance);
        }
    }
}

#[test]
fn networks_of_every_shape() {
    let Some(gpu) = gpu() else { return };
    let mut random = Random::new(9);
    let mut sequences = |first: u32, end: u32| -> Vec<Vec<u32>> {
        let mut id = || first + (random.next() % u64::from(end - first)) as u32;
        [3, 19, 66, 130, 168, 168, 258].map(|length| (0..length).map(|_| id()).collect()).to_vec()
    };
    let (proteins, nucleotides) = (sequences(4, 33), sequences(5, 300));
    for (hidden, heads) in [(320, 20), (480, 20), (128, 4), (256, 4)] {
        let config = esm2_config(hidden, 3, heads);
        check_network(&gpu, &format!("ESM-2 of {hidden}"), config, &proteins);
    }
    for (hidden, heads) in [(768, 12), (96, 12)] {
        let config = dnabert_config(hidden, 3, heads);
        check_network(&gpu, &format!("DNABERT of {hidden}"), config, &nucleotides);
    }
}
