//! What follows a product, done tile by tile while the sums are in cache.

use std::arch::x86_64::{_mm512_add_ps, _mm512_mul_ps};

use super::lanes::{LANES, gelu, load, store};
use super::multiply::COLUMNS;
use crate::linear::{Form, Then};

/// Where the sums of a product go.
pub(crate) struct Target<'a> {
    /// `[rows, width]`
    pub(crate) output: &'a mut [f32],
    pub(crate) width: usize,
    /// One a packed column.
    pub(crate) bias: &'a [f32],
    pub(crate) form: Form,
    pub(crate) then: Then,
}

/// Takes the first `count` rows of `sums`, `[_, 32]`, to the rows from `row` on of the output.
#[target_feature(enable = "avx512f")]
pub(crate) fn finish(
    sums: &[f32],
    row: usize,
    count: usize,
    panel: usize,
    target: &mut Target<'_>,
) {
    let Target { output, width, bias, form, then } = target;
    let (columns, first) = match form {
        Form::Plain => (COLUMNS, panel * COLUMNS),
        Form::Gated => (LANES, panel * LANES),
    };
    let Some(bias) = bias.get(panel * COLUMNS..) else { return };
    let biases = (load(bias), load(bias.get(LANES..).unwrap_or_default()));
    let rows = output.chunks_exact_mut(*width).skip(row).take(count);
    for (sums, output) in sums.as_chunks::<COLUMNS>().0.iter().zip(rows) {
        let output = output.get_mut(first..).unwrap_or_default();
        let (sums, more) = sums.split_at(LANES);
        let x = _mm512_add_ps(load(sums), biases.0);
        let y = _mm512_add_ps(load(more), biases.1);
        if *form == Form::Gated {
            store(output, _mm512_mul_ps(gelu(x), y));
            continue;
        }
        let columns = columns.min(output.len());
        let (low, high) =
            output.get_mut(..columns).unwrap_or_default().split_at_mut(columns.min(LANES));
        match then {
            Then::Store => {
                store(low, x);
                store(high, y);
            }
            Then::Gelu => {
                store(low, gelu(x));
                store(high, gelu(y));
            }
            Then::Add => {
                let (a, b) = (load(low), load(high));
                store(low, _mm512_add_ps(a, x));
                store(high, _mm512_add_ps(b, y));
            }
        }
    }
}
