//! The exactness of products of rows and columns whose values differ much in size.

use half::bf16;

use super::*;
use crate::testing::{cpus, random};

const ROWS: usize = 40;
const INPUTS: usize = 1300;
const OUTPUTS: usize = 70;

/// Approximately normal values: sums of uniform ones.
fn normal(seed: u64, count: usize) -> Vec<f32> {
    let uniform = random(seed, 6 * count);
    uniform.chunks(6).map(|six| six.iter().sum::<f32>() / 2_f32.sqrt()).collect()
}

/// The values, with one in each `every` multiplied by `times`.
fn with_outliers(mut values: Vec<f32>, every: usize, times: f32) -> Vec<f32> {
    values.iter_mut().step_by(every).for_each(|x| *x *= times);
    values
}

fn product(cpu: Cpu, precision: Precision, x: &[f32], weights: &[f32]) -> Vec<f32> {
    let mut builder =
        LinearBuilder::new(cpu, precision, LayerKind::Plain, OUTPUTS, INPUTS).unwrap();
    builder.rows(0, weights).unwrap();
    let mut output = vec![0.0; x.len() / INPUTS * OUTPUTS];
    builder.build().forward(x, &mut output, Epilogue::Store, &mut Scratch::default()).unwrap();
    output
}

/// The product in f64.
fn exact(x: &[f32], weights: &[f32]) -> Vec<f64> {
    let dot = |x: &[f32], w: &[f32]| -> f64 {
        x.iter().zip(w).map(|(x, w)| f64::from(*x) * f64::from(*w)).sum()
    };
    let rows = x.chunks(INPUTS);
    rows.flat_map(|x| weights.chunks(INPUTS).map(move |w| dot(x, w))).collect()
}

/// The root mean square of differences, relative to that of the exact values.
fn error(found: &[f32], exact: &[f64]) -> f64 {
    let squares = found.iter().zip(exact).map(|(a, b)| (f64::from(*a) - b).powi(2)).sum::<f64>();
    (squares / exact.iter().map(|x| x * x).sum::<f64>()).sqrt()
}

/// Factors of one value of a row, and of one of a column of weights.
///
/// The largest value of a row of a trained ESM-2 is up to 30 times, of a column of weights up to 13
/// times the root of their mean square (the 8-million-parameter one, every linear layer).
const OUTLIERS: [(f32, f32); 5] = [(1.0, 1.0), (30.0, 1.0), (1.0, 4.0), (10.0, 3.0), (30.0, 4.0)];

/// Rows, weights and their product.
fn operands(of_rows: f32, of_columns: f32) -> (Vec<f32>, Vec<f32>, Vec<f64>) {
    let x = with_outliers(normal(1, ROWS * INPUTS), INPUTS, of_rows);
    let weights = with_outliers(normal(2, OUTPUTS * INPUTS), INPUTS - 1, of_columns);
    let exact = exact(&x, &weights);
    (x, weights, exact)
}

#[test]
fn outliers_cost_no_more_than_adding_in_f32() {
    for (of_rows, of_columns) in OUTLIERS {
        let (x, weights, exact) = operands(of_rows, of_columns);
        // Products added one after the other, each sum rounded.
        let in_turn: Vec<f32> = x
            .chunks(INPUTS)
            .flat_map(|x| {
                weights.chunks(INPUTS).map(|w| x.iter().zip(w).fold(0.0, |s, (x, w)| s + x * w))
            })
            .collect();
        let bound = 1.2 * error(&in_turn, &exact);
        for cpu in cpus() {
            let found = error(&product(cpu, Precision::F32, &x, &weights), &exact);
            println!("{of_rows} and {of_columns} on {}: {found:.1e}, {bound:.1e}", cpu.name());
            assert!(found < bound, "{found:e} on {}, {of_rows} and {of_columns}", cpu.name());
        }
    }
}

#[test]
fn bf16_costs_no_more_than_rounding_to_it() {
    for (of_rows, of_columns) in OUTLIERS {
        let (x, weights, exact) = operands(of_rows, of_columns);
        let rounded = |values: &[f32]| -> Vec<f32> {
            values.iter().map(|x| bf16::from_f32(*x).to_f32()).collect()
        };
        let of_rounded: Vec<f32> =
            self::exact(&rounded(&x), &rounded(&weights)).iter().map(|x| *x as f32).collect();
        let bound = 1.01 * error(&of_rounded, &exact);
        for cpu in cpus().into_iter().filter(|cpu| cpu.has(Precision::Bf16)) {
            let found = error(&product(cpu, Precision::Bf16, &x, &weights), &exact);
            println!("{of_rows} and {of_columns} on {}: {found:.1e}, {bound:.1e}", cpu.name());
            assert!(found < bound, "{found:e} on {}, {of_rows} and {of_columns}", cpu.name());
        }
    }
}

/// Rows that are their columns have the largest products that their norms allow.
#[test]
fn no_sum_of_integers_is_too_large() {
    let shapes: [fn(usize) -> f32; 5] = [
        |_| 1.0,
        |i| if i % 2 == 0 { -1.0 } else { 1.0 },
        |i| if i % INPUTS == 7 { 1e6 } else { 1.0 },
        |i| if i % INPUTS < 2 { -3e4 } else { 0.0 },
        |i| 1.0 + (i % 100) as f32,
    ];
    for shape in shapes {
        let weights: Vec<f32> = (0..OUTPUTS * INPUTS).map(|i| shape(i % INPUTS)).collect();
        let x = weights.get(..ROWS * INPUTS).unwrap();
        let exact = exact(x, &weights);
        for cpu in cpus().into_iter().filter(|cpu| cpu.has(Precision::Bf16)) {
            let found = error(&product(cpu, Precision::Bf16, x, &weights), &exact);
            assert!(found < 5e-3, "{found:e} on {}", cpu.name());
        }
    }
}

/// Rows and columns of every size that f32 has, and such that are all zero.
#[test]
fn the_size_of_a_row_or_column_does_not_matter() {
    let sizes = [0.0, 1e-30, 1e-15, 1e-3, 1.0, 1e4, 1e15];
    let scaled = |seed, rows: usize| -> Vec<f32> {
        let values = normal(seed, rows * INPUTS);
        let rows = values.chunks(INPUTS).zip(sizes.iter().cycle());
        rows.flat_map(|(row, size)| row.iter().map(move |x| x * size)).collect()
    };
    let (x, weights) = (scaled(3, ROWS), scaled(4, OUTPUTS));
    let exact = exact(&x, &weights);
    let precisions = [(Precision::F32, 1e-5), (Precision::Bf16, 1e-2)];
    for (cpu, (precision, of_size)) in cpus().into_iter().flat_map(|c| precisions.map(|p| (c, p))) {
        if !cpu.has(precision) {
            continue;
        }
        let found = product(cpu, precision, &x, &weights);
        for (at, (found, exact)) in found.iter().zip(&exact).enumerate() {
            let (row, column) = (at / OUTPUTS, at % OUTPUTS);
            let size = f64::from(sizes[row % sizes.len()]) * f64::from(sizes[column % sizes.len()]);
            // Products below those of normal numbers may be lost.
            let bound = (size * 36.0 * of_size).max(1e-36);
            let difference = (f64::from(*found) - exact).abs();
            assert!(difference <= bound, "{found} for {exact} at {row}, {column}, {}", cpu.name());
        }
    }
}
