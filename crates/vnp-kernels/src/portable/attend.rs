//! Multi-head attention of one sequence by the `gemm` crate.
#![expect(
    clippy::indexing_slicing,
    reason = "`Attention::attend` checks the lengths of operands and the number of slopes"
)]

use super::matmul::{Matrix, MatrixMut, multiply};
use super::rows::softmax;
use crate::attention::heads::{Attention, Position};
use crate::error::Error;

/// Queries per block: bounds the memory for scores to a block times the length.
const QUERY_BLOCK: usize = 64;

/// Attention of one sequence: `qkv` is `[length, 3 * hidden]` with rows `q | k | v`, head-major;
/// `output` is `[length, hidden]`. The length is at least 1. Given up when `is_interrupted` answers yes.
pub(crate) fn attend(
    qkv: &[f32],
    output: &mut [f32],
    attention: &Attention,
    is_interrupted: &dyn Fn() -> bool,
) -> Result<(), Error> {
    let (size, hidden) = (attention.size, attention.heads * attention.size);
    let length = qkv.len() / (3 * hidden);
    let mut queries = vec![0.0; length * size];
    let mut keys = vec![0.0; length * size];
    let mut scores = vec![0.0; QUERY_BLOCK.min(length) * length];
    let mut scales = vec![0.0; QUERY_BLOCK.min(length)];
    for head in 0..attention.heads {
        let of = |part: usize| part * hidden + head * size;
        let slope = match &attention.position {
            Position::Rotary(rotary) => {
                rotary.rotate(&mut queries, qkv, of(0), 3 * hidden, attention.scale());
                rotary.rotate(&mut keys, qkv, of(1), 3 * hidden, 1.0);
                0.0
            }
            Position::Alibi(alibi) => {
                gather(&mut queries, qkv, of(0), 3 * hidden, size, attention.scale());
                gather(&mut keys, qkv, of(1), 3 * hidden, size, 1.0);
                alibi[head]
            }
        };
        let keys = Matrix::new(&keys, length, size, size)?.transposed();
        let values = Matrix::new(&qkv[of(2)..], length, size, 3 * hidden)?;
        for (block, queries) in queries.chunks(QUERY_BLOCK * size).enumerate() {
            if is_interrupted() {
                return Ok(());
            }
            let (first, rows) = (block * QUERY_BLOCK, queries.len() / size);
            let scores = &mut scores[..rows * length];
            multiply(
                MatrixMut::new(scores, rows, length, length)?,
                Matrix::new(queries, rows, size, size)?,
                keys,
            )?;
            let scales = &mut scales[..rows];
            softmax(scores, scales, length, first, slope);
            let output = &mut output[first * hidden + head * size..];
            multiply(
                MatrixMut::new(output, rows, size, hidden)?,
                Matrix::new(scores, rows, length, length)?,
                values,
            )?;
            // Dividing `size` outputs is less than dividing `length` weights.
            for (row, scale) in output.chunks_mut(hidden).zip(scales) {
                row.iter_mut().take(size).for_each(|x| *x *= *scale);
            }
        }
    }
    Ok(())
}

/// Copies one head's columns, `size` at `offset` of every `stride`, times `scale`.
fn gather(
    output: &mut [f32],
    input: &[f32],
    offset: usize,
    stride: usize,
    size: usize,
    scale: f32,
) {
    for (output, row) in output.chunks_exact_mut(size).zip(input.chunks_exact(stride)) {
        for (output, x) in output.iter_mut().zip(row.iter().skip(offset)) {
            *output = x * scale;
        }
    }
}
