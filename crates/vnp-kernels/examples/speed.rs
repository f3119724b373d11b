//! Measures the operations per second of each kernel on this CPU: `cargo run --release --example speed`.
#![allow(clippy::print_stdout, reason = "its only purpose")]

use std::time::Instant;

use vnp_kernels::{
    Attention, AttentionScratch, Cpu, Epilogue, Error, LayerKind, LinearBuilder, Position,
    Precision, Rotary, Scratch, alibi_slopes,
};

fn main() -> Result<(), Error> {
    for cpu in Cpu::available() {
        for precision in [Precision::F32, Precision::Bf16] {
            if cpu.has(precision) {
                for (outputs, inputs) in
                    [(1920, 640), (2560, 640), (640, 2560), (5120, 1280), (1280, 5120)]
                {
                    linear(cpu, precision, outputs, inputs)?;
                }
            }
        }
        for (heads, size) in [(20, 32), (20, 64), (12, 64)] {
            attention(cpu, heads, size)?;
        }
    }
    Ok(())
}

fn linear(cpu: Cpu, precision: Precision, outputs: usize, inputs: usize) -> Result<(), Error> {
    let rows = 1024;
    let mut builder = LinearBuilder::new(cpu, precision, LayerKind::Plain, outputs, inputs)?;
    for output in 0..outputs {
        builder.rows(output, &vec![0.01; inputs])?;
    }
    let layer = builder.build();
    let x = vec![0.5; rows * inputs];
    let mut y = vec![0.0; rows * outputs];
    let mut scratch = Scratch::default();
    let seconds = fastest(|| layer.forward(&x, &mut y, Epilogue::Gelu, &mut scratch))?;
    let rate = 2.0 * (rows * outputs * inputs) as f64 / seconds / 1e9;
    println!("{} {precision:?} {inputs} to {outputs}: {rate:.0} GFLOP/s", cpu.name());
    Ok(())
}

fn attention(cpu: Cpu, heads: usize, size: usize) -> Result<(), Error> {
    let length = 135;
    let positions = [
        Position::Rotary(Rotary::new(&vec![0.1; size / 2], length)),
        Position::Alibi(alibi_slopes(heads)),
    ];
    for (position, name) in positions.into_iter().zip(["rotary", "alibi"]) {
        let attention = Attention { cpu, heads, size, position };
        let qkv: Vec<f32> = (0..length * 3 * heads * size).map(|i| (i as f32).sin()).collect();
        let mut y = vec![0.0; length * heads * size];
        let mut scratch = AttentionScratch::default();
        let seconds = fastest(|| attention.attend(&qkv, &mut y, &mut scratch))?;
        let rate = 4.0 * (length * length * heads * size) as f64 / seconds / 1e9;
        println!("{} attention {name} {heads} x {size}: {rate:.0} GFLOP/s", cpu.name());
    }
    Ok(())
}

/// Seconds of the fastest of several calls.
fn fastest(mut call: impl FnMut() -> Result<(), Error>) -> Result<f64, Error> {
    let mut fastest = f64::INFINITY;
    for _ in 0..16 {
        let began = Instant::now();
        call()?;
        fastest = fastest.min(began.elapsed().as_secs_f64());
    }
    Ok(fastest)
}
