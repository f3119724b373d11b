//! Helpers of tests: random numbers, CPUs, reference functions and differences.

use crate::cpu::Cpu;

/// A reproducible sequence of numbers from -1 to 1 (splitmix64).
pub(crate) fn random(seed: u64, count: usize) -> Vec<f32> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) >> 40) as f32 / (1_u64 << 23) as f32 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// Every set of instructions of this machine; prints their names.
pub(crate) fn cpus() -> Vec<Cpu> {
    let cpus = Cpu::available();
    println!("kernels: {:?}", cpus.iter().map(|cpu| cpu.name()).collect::<Vec<_>>());
    cpus
}

/// The error function in f64, by its series near zero and its continued fraction beyond.
pub(crate) fn erf(x: f64) -> f64 {
    if x.abs() < 2.5 {
        let mut term = x;
        let mut sum = x;
        for n in 1..80 {
            term *= -x * x / f64::from(n);
            sum += term / f64::from(2 * n + 1);
        }
        return sum * 2.0 / std::f64::consts::PI.sqrt();
    }
    let fraction = (1..60).rev().fold(0.0, |rest, n| f64::from(n) / 2.0 / (x.abs() + rest));
    let tail = (-x * x).exp() / std::f64::consts::PI.sqrt() / (x.abs() + fraction);
    (1.0 - tail).copysign(x)
}

/// The exact GELU.
pub(crate) fn gelu(x: f64) -> f64 {
    0.5 * x * (1.0 + erf(x * std::f64::consts::FRAC_1_SQRT_2))
}

/// The largest difference; NaN and a difference in length count as infinite.
pub(crate) fn worst(found: &[f32], expected: &[f64]) -> f64 {
    if found.len() != expected.len() {
        return f64::INFINITY;
    }
    let differences = found.iter().zip(expected).map(|(a, b)| (f64::from(*a) - b).abs());
    differences.fold(0.0, |worst, x| {
        if x <= worst {
            worst
        } else if x.is_nan() {
            f64::INFINITY
        } else {
            x
        }
    })
}

#[test]
fn the_error_function_is_known() {
    // Abramowitz and Stegun, table 7.1.
    for (x, y) in [
        (0.5, 0.520_499_877_8),
        (1.0, 0.842_700_792_9),
        (2.0, 0.995_322_265_0),
        (3.0, 0.999_977_909_5),
    ] {
        assert!((erf(x) - y).abs() < 1e-9 && (erf(-x) + y).abs() < 1e-9, "{x}");
    }
    assert!((erf(2.4999) - erf(2.5001)).abs() < 1e-6);
}
