//! The head's values and gradients against PyTorch's.

use candle_core::{Device, Var};

use super::*;
use crate::head::loss::cross_entropy;
use crate::learn::gradients::Gradients;

const SIZE: HeadSize = HeadSize { features: 2, units: 3 };
const ROWS: [f32; 8] = [1.0, 2.0, -1.0, 0.5, 0.25, -3.0, 2.0, 1.0];
const LABELS: [bool; 4] = [true, false, false, true];

/// A head with the weights that PyTorch had for the expected values below.
fn head(dropout: f64) -> (Parameters, HeadNetwork) {
    let mut parameters = Parameters::new(Device::Cpu);
    let network = HeadNetwork::new(&mut parameters, "head.", SIZE, dropout, 1).unwrap();
    for (name, shape, values) in [
        ("hidden_layer.weight", &[3, 2][..], &[0.5, -1.0, 1.5, 0.25, -0.75, 0.5][..]),
        ("hidden_layer.bias", &[3], &[0.1, -0.2, 0.3]),
        ("bn1.weight", &[3], &[1.0, 0.5, 2.0]),
        ("bn1.bias", &[3], &[0.1, 0.2, -0.3]),
        ("output_layer.weight", &[2, 3], &[0.3, -0.6, 0.9, -0.2, 0.4, 0.7]),
        ("output_layer.bias", &[2], &[0.05, -0.05]),
    ] {
        parameters.insert(format!("head.{name}"), shape, values).unwrap();
    }
    (parameters, network)
}

fn features() -> Tensor {
    Tensor::from_slice(&ROWS, (4, 2), &Device::Cpu).unwrap()
}

#[track_caller]
fn check(what: &str, found: &Tensor, expected: &[f32]) {
    let found: Vec<f32> = found.flatten_all().unwrap().to_vec1().unwrap();
    let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6);
    assert!(close && found.len() == expected.len(), "{what}: {found:?} {expected:?}");
}

/// The expected values are PyTorch's, of Linear(2, 3), BatchNorm1d(3), relu and Linear(3, 2) with
/// the weights above:
///
/// ```python
/// logits = out(torch.relu(bn(lin(x)))); loss = cross_entropy(logits, tensor([1, 0, 0, 1]))
/// cross_entropy(logits, y, label_smoothing=0.1); loss.backward(); bn.eval()
/// ```
#[test]
fn values_gradients_and_running_statistics_are_those_of_pytorch() {
    let (parameters, network) = head(0.0);
    let features = Var::from_tensor(&features()).unwrap();
    let mode = Mode::Training(&mut Rng::new(1, "mask"));
    let logits = network.forward(&parameters, &features, mode).unwrap();
    let expected = [
        0.523_092_2,
        0.756_348_4,
        2.1147037,
        1.5558808,
        0.5755952,
        -0.400_396_8,
        -0.45347118,
        0.28564742,
    ];
    check("logits", &logits, &expected);
    let loss = cross_entropy(&logits, &LABELS, 0.0).unwrap();
    check("loss", &loss, &[0.43643212]);
    check("smooth", &cross_entropy(&logits, &LABELS, 0.1).unwrap(), &[0.46777198]);
    let gradients = Gradients::of(&loss, &parameters).unwrap();
    let to_features = loss.backward().unwrap().remove(&features).unwrap();
    let expected = [
        -0.051576894,
        0.027728155,
        0.017389655,
        -0.009_053_294,
        0.010808777,
        0.0031870026,
        0.023378463,
        -0.021_861_86,
    ];
    check("features", &to_features, &expected);
    for (name, expected) in [
        (
            "hidden_layer.weight",
            &[0.037938293, 0.018969338, 0.004_913_375, -0.029481228, 0.061_128_85, 0.091692865][..],
        ),
        ("hidden_layer.bias", &[0.0; 3]),
        ("bn1.weight", &[-0.060028587, -0.17191637, -0.010746424]),
        ("bn1.bias", &[0.0061886422, -0.19128647, 0.0039064568]),
        (
            "output_layer.weight",
            &[-0.11881946, 0.12421548, -0.11332401, 0.11881943, -0.12421548, 0.11332404],
        ),
        ("output_layer.bias", &[0.03190954, -0.031909555]),
    ] {
        check(name, gradients.get(&format!("head.{name}")).unwrap(), expected);
    }
    let mean = parameters.buffer("head.bn1.running_mean").unwrap();
    check("mean", &mean, &[0.025624996, 0.067499995, -0.005937505]);
    let variance = parameters.buffer("head.bn1.running_var").unwrap();
    check("variance", &variance, &[1.330599, 1.3510417, 1.0464518]);
    let logits = network.forward(&parameters, &features, Mode::Inference).unwrap();
    let expected = [
        0.191065,
        0.87894183,
        2.0779107,
        1.5272639,
        0.91207254,
        -0.62471503,
        -0.79043543,
        0.51029027,
    ];
    check("inference", &logits, &expected);
}

#[test]
fn data_give_the_weights_the_same_gradients_as_computed_features() {
    let gradients = |features: &Tensor| {
        let (parameters, network) = head(0.5);
        let mode = Mode::Training(&mut Rng::new(1, "mask"));
        let logits = network.forward(&parameters, features, mode).unwrap();
        let loss = cross_entropy(&logits, &LABELS, 0.0).unwrap();
        let gradients = Gradients::of(&loss, &parameters).unwrap();
        let values = parameters.variables().map(|(name, _)| gradients.get(name).unwrap());
        values.map(|x| x.flatten_all().unwrap().to_vec1::<f32>().unwrap()).collect::<Vec<_>>()
    };
    assert_eq!(gradients(&features()), gradients(&Var::from_tensor(&features()).unwrap()));
}

#[test]
fn first_weights_are_within_their_bounds_and_depend_on_the_seed() {
    let drawn = |seed| {
        let mut parameters = Parameters::new(Device::Cpu);
        let size = HeadSize { features: 100, units: 50 };
        HeadNetwork::new(&mut parameters, "", size, 0.5, seed).unwrap();
        parameters.snapshot().unwrap()
    };
    let first = drawn(1);
    for (name, bound) in [
        ("hidden_layer.weight", (6.0f32 / 150.0).sqrt()),
        ("hidden_layer.bias", 0.1),
        ("output_layer.weight", (6.0f32 / 52.0).sqrt()),
        ("output_layer.bias", 1.0 / 50.0f32.sqrt()),
    ] {
        let (_, values) = first.get(name).unwrap();
        let largest = values.iter().fold(0.0f32, |largest, x| largest.max(x.abs()));
        assert!(
            largest <= bound && (largest > 0.8 * bound || values.len() == 2),
            "{name}: {largest}"
        );
    }
    assert_eq!(first, drawn(1));
    assert_ne!(first, drawn(2));
}

#[test]
fn units_drop_out_in_training_only_and_the_mean_stays() {
    let (parameters, network) = head(0.5);
    let draws = 4_000;
    let rows = Tensor::from_slice(&ROWS[..2], (1, 2), &Device::Cpu).unwrap();
    let rows = rows.broadcast_as((draws, 2)).unwrap().contiguous().unwrap();
    let mask = network.mask(&mut Rng::new(1, "mask"), &parameters, &rows).unwrap();
    let values: Vec<f32> = mask.flatten_all().unwrap().to_vec1().unwrap();
    assert!(values.iter().all(|x| *x == 0.0 || *x == 2.0));
    let mean = values.iter().sum::<f32>() / values.len() as f32;
    assert!((mean - 1.0).abs() < 0.03, "{mean}");
    let scores = || {
        let logits = network.forward(&parameters, &features(), Mode::Inference).unwrap();
        logits.flatten_all().unwrap().to_vec1::<f32>().unwrap()
    };
    assert_eq!(scores(), scores());
}

#[test]
fn the_network_scores_as_the_head_of_a_bundle_does() {
    let mut parameters = Parameters::new(Device::Cpu);
    let size = HeadSize { features: 48, units: 33 };
    let network = HeadNetwork::new(&mut parameters, "h.", size, 0.5, 3).unwrap();
    let mut rng = Rng::new(5, "rows");
    let features: Vec<f32> = (0..20 * 48).map(|_| 1.0 + 2.0 * rng.normal()).collect();
    let rows = Tensor::from_slice(&features, (20, 48), &Device::Cpu).unwrap();
    // Some steps' worth of running statistics.
    for _ in 0..5 {
        network.forward(&parameters, &rows, Mode::Training(&mut rng)).unwrap();
    }
    let tensors = parameters.snapshot().unwrap().tensors("h.");
    let head = vnp_infer::Head::new(tensors, 32, 16).unwrap();
    let split = |range: std::ops::Range<usize>| {
        features.chunks(48).flat_map(|row| row[range.clone()].to_vec()).collect::<Vec<_>>()
    };
    let expected = head.score(&split(0..32), &split(32..48)).unwrap();
    let logits = network.forward(&parameters, &rows, Mode::Inference).unwrap();
    let scores = candle_nn::ops::softmax(&logits, 1).unwrap().to_vec2::<f32>().unwrap();
    for (found, expected) in scores.iter().zip(&expected) {
        assert!((found[1] - expected[1]).abs() < 1e-5, "{found:?} {expected:?}");
    }
    assert!(expected.iter().any(|x| x[1] > 0.6) && expected.iter().any(|x| x[1] < 0.4));
}
