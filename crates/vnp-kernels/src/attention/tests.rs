//! Attention compared with its definition in f64.

use super::alibi::alibi_slopes;
use super::rotary::Rotary;
use super::*;
use crate::cpu::Cpu;
use crate::testing::{cpus, random, worst};

fn rotary(size: usize) -> Rotary {
    let frequencies: Vec<f32> =
        (0..size / 2).map(|i| 10_000_f32.powf(-2.0 * i as f32 / size as f32)).collect();
    Rotary::new(&frequencies, 300)
}

fn attend(attention: &Attention, qkv: &[f32]) -> Vec<f32> {
    let mut output = vec![f32::NAN; qkv.len() / 3];
    attention.attend(qkv, &mut output, &mut AttentionScratch::default()).unwrap();
    output
}

/// The definition in f64.
fn expected(attention: &Attention, qkv: &[f32]) -> Vec<f64> {
    let (heads, size) = (attention.heads, attention.size);
    let hidden = heads * size;
    let length = qkv.len() / (3 * hidden);
    let part = |part: usize, token: usize, head: usize| -> Vec<f64> {
        let first = token * 3 * hidden + part * hidden + head * size;
        let x: Vec<f64> = qkv[first..first + size].iter().map(|x| f64::from(*x)).collect();
        let (Position::Rotary(_), 0 | 1) = (&attention.position, part) else { return x };
        let half = size / 2;
        (0..size)
            .map(|i| {
                let frequency = 10_000_f32.powf(-2.0 * (i % half) as f32 / size as f32);
                let angle = f64::from(token as f32 * frequency);
                let other = if i < half { -x[i + half] } else { x[i - half] };
                x[i] * angle.cos() + other * angle.sin()
            })
            .collect()
    };
    let mut output = vec![0.0; length * hidden];
    for head in 0..heads {
        for query in 0..length {
            let q = part(0, query, head);
            let weights: Vec<f64> = (0..length)
                .map(|key| {
                    let dot: f64 = q.iter().zip(part(1, key, head)).map(|(a, b)| a * b).sum();
                    let slope = match &attention.position {
                        Position::Alibi(slopes) => f64::from(slopes[head]),
                        Position::Rotary(_) => 0.0,
                    };
                    (dot / (size as f64).sqrt() - slope * (query as f64 - key as f64).abs()).exp()
                })
                .collect();
            let sum: f64 = weights.iter().sum();
            for (key, weight) in weights.iter().enumerate() {
                for (i, value) in part(2, key, head).iter().enumerate() {
                    output[query * hidden + head * size + i] += weight / sum * value;
                }
            }
        }
    }
    output
}

fn check(heads: usize, size: usize, length: usize, alibi: bool) {
    let position =
        if alibi { Position::Alibi(alibi_slopes(heads)) } else { Position::Rotary(rotary(size)) };
    let qkv: Vec<f32> =
        random(length as u64, length * 3 * heads * size).iter().map(|x| x * 2.0).collect();
    for cpu in cpus() {
        let attention = Attention { cpu, heads, size, position: position.clone() };
        let worst = worst(&attend(&attention, &qkv), &expected(&attention, &qkv));
        assert!(worst < 3e-6, "{worst:e} on {}: {heads} x {size}, {length}", cpu.name());
    }
}

#[test]
fn follows_its_definition() {
    for alibi in [false, true] {
        check(2, 16, 1, alibi);
        check(3, 24, 11, alibi);
        check(1, 20, 12, alibi);
        check(2, 32, 13, alibi);
        check(1, 64, 33, alibi);
        check(2, 8, 130, alibi);
        check(1, 80, 65, alibi);
        check(1, 300, 5, alibi);
    }
}

/// The content of buffers from earlier sequences has no effect.
#[test]
fn buffers_carry_nothing_over() {
    for cpu in cpus() {
        let position = Position::Alibi(alibi_slopes(2));
        let attention = Attention { cpu, heads: 2, size: 24, position };
        let long = random(1, 100 * 3 * 48);
        let short = random(2, 5 * 3 * 48);
        let mut scratch = AttentionScratch::default();
        let mut output = vec![0.0; 100 * 48];
        attention.attend(&long, &mut output, &mut scratch).unwrap();
        let mut output = vec![0.0; 5 * 48];
        attention.attend(&short, &mut output, &mut scratch).unwrap();
        assert_eq!(output, attend(&attention, &short), "{}", cpu.name());
    }
}

#[test]
fn nan_reaches_its_head_only() {
    for cpu in cpus() {
        let position = Position::Rotary(rotary(16));
        let attention = Attention { cpu, heads: 2, size: 16, position };
        let mut qkv = random(1, 40 * 3 * 32);
        qkv[20 * 96 + 32] = f32::NAN;
        for (i, x) in attend(&attention, &qkv).iter().enumerate() {
            assert_eq!(x.is_nan(), i % 32 < 16, "{i} on {}", cpu.name());
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let position = Position::Rotary(rotary(16));
    let attention = Attention { cpu: Cpu::portable(), heads: 2, size: 16, position };
    let attend = |values: usize, outputs: usize| {
        let mut output = vec![0.0; outputs];
        attention.attend(&vec![0.0; values], &mut output, &mut AttentionScratch::default())
    };
    let length = |what, expected, found| Err(Error::Length { what, expected, found });
    assert_eq!(attend(97, 32), length("a row of queries, keys and values", 0, 1));
    assert_eq!(attend(96, 31), length("the output of attention", 32, 31));
    assert_eq!(attend(301 * 96, 301 * 32), length("a sequence", 300, 301));
}
