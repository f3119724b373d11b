//! Optimizer steps against PyTorch's.

use candle_core::{Device, Tensor};

use super::*;
use crate::learn::host::BLOCK;

/// Two parameters, and the mean square of `x wᵀ + b` as the loss.
fn parameters() -> Parameters {
    let mut parameters = Parameters::new(Device::Cpu);
    parameters.insert("w", &[2, 2], &[1.0, -2.0, 0.5, 3.0]).unwrap();
    parameters.insert("b", &[2], &[0.1, -0.2]).unwrap();
    parameters.insert("unused", &[1], &[7.0]).unwrap();
    parameters
}

fn loss(parameters: &Parameters) -> Tensor {
    let x = [1.0f32, 2.0, -1.0, 0.5, 0.25, -3.0];
    let x = Tensor::from_slice(&x, (3, 2), &Device::Cpu).unwrap();
    let w = parameters.get("w").unwrap().t().unwrap();
    let y = x.matmul(&w).unwrap().broadcast_add(parameters.get("b").unwrap()).unwrap();
    y.sqr().unwrap().mean_all().unwrap()
}

#[track_caller]
fn check(optimizer: Optimizer, clip: Option<f64>, weight: [f32; 4], bias: [f32; 2]) {
    let parameters = parameters();
    let mut state = OptimizerState::new(&optimizer, &parameters);
    for _ in 0..3 {
        let gradients = Gradients::of(&loss(&parameters), &parameters).unwrap();
        let scale = gradients.clip_scale(clip).unwrap();
        state.step(&optimizer, &parameters, &gradients, 0.05, scale).unwrap();
    }
    let after = parameters.snapshot().unwrap();
    let near = |name: &str, expected: &[f32]| {
        let (_, found) = after.get(name).unwrap();
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 2e-6);
        assert!(close && found.len() == expected.len(), "{name}: {found:?} {expected:?}");
    };
    near("w", &weight);
    near("b", &bias);
    // What the loss does not depend on is left alone, and does not decay.
    near("unused", &[7.0]);
}

/// The expected values are PyTorch's, with `o` as below:
///
/// ```python
/// w = Parameter(tensor([[1.0, -2.0], [0.5, 3.0]])); b = Parameter(tensor([0.1, -0.2]))
/// p = [{"params": [w], "weight_decay": 0.1}, {"params": [b], "weight_decay": 0.0}]
/// x = tensor([[1.0, 2.0], [-1.0, 0.5], [0.25, -3.0]])
/// for _ in range(3):
///     o.zero_grad(); ((x @ w.T + b) ** 2).mean().backward()
///     if clip: clip_grad_norm_([w, b], clip)
///     o.step()
/// ```
#[test]
fn steps_are_those_of_pytorch() {
    // o = SGD(p, lr=0.05, momentum=0.9)
    let sgd = Optimizer::Sgd { momentum: 0.9, decay: 0.1 };
    check(sgd, None, [0.895342, 0.013843346, 0.23263396, -0.13286833], [-0.02188845, -0.047917265]);
    // The same with clip = 0.5
    check(sgd, Some(0.5), [0.970325, -1.8690243, 0.4766193, 2.7991], [0.09546026, -0.19421628]);
    // o = AdamW(p, lr=0.05)
    let adam = Optimizer::adam_w(0.1);
    check(adam, None, [0.83711106, -1.821068, 0.34355673, 2.8060977], [-0.04889022, -0.05063643]);
}

#[test]
fn the_norm_is_of_all_gradients_and_no_thread_changes_it() {
    let mut parameters = Parameters::new(Device::Cpu);
    let values: Vec<f32> = (0..3 * BLOCK).map(|i| ((i % 97) as f32 - 48.0) * 1e-3).collect();
    parameters.insert("a", &[values.len()], &values).unwrap();
    parameters.insert("b", &[1], &[3.0]).unwrap();
    // The gradient of half the sum of squares is the value itself.
    let half =
        |name| (parameters.get(name).unwrap().sqr().unwrap().sum_all().unwrap() * 0.5).unwrap();
    let loss = (half("a") + half("b")).unwrap();
    let gradients = Gradients::of(&loss, &parameters).unwrap();
    let expected = values.iter().map(|x| f64::from(*x).powi(2)).sum::<f64>() + 9.0;
    let norm = gradients.norm().unwrap();
    assert!((norm - expected.sqrt()).abs() < 1e-9);
    for threads in [1, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| gradients.norm().unwrap()).to_bits(), norm.to_bits());
    }
}
