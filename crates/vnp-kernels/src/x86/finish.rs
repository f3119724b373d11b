//! What follows a product, done tile by tile while the sums are in cache.
#![allow(unsafe_code, reason = "compiled for instructions that `Cpu` has found")]

use std::arch::x86_64::{__m512, _mm512_add_ps, _mm512_mul_ps};

use super::lanes::{LANES, gelu, load, store, stream};
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

/// What becomes of sums with their bias.
#[derive(Clone, Copy)]
pub(crate) enum End {
    Store,
    Gelu,
    Add,
    /// They are multiplied by the GELU of their gates.
    Gate,
}

impl Target<'_> {
    pub(crate) fn end(&self) -> End {
        match (self.form, self.then) {
            (Form::Gated, _) => End::Gate,
            (Form::Plain, Then::Store) => End::Store,
            (Form::Plain, Then::Gelu) => End::Gelu,
            (Form::Plain, Then::Add) => End::Add,
        }
    }

    /// Whether results are to be written past the caches. Of many the first would be gone from there
    /// before the last is written, and the place of each would be read before it is written over.
    pub(crate) fn streams(&self) -> bool {
        const FROM_BYTES: usize = 4 << 20;
        !matches!(self.end(), End::Add) && size_of_val(self.output) >= FROM_BYTES
    }
}

impl End {
    /// Takes 16 sums to their place.
    ///
    /// Always inlined: it is less work than a call.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    pub(crate) unsafe fn put(self, x: __m512, gates: __m512, output: &mut [f32]) {
        // SAFETY: as promised by the caller.
        unsafe { store(output, self.result(x, gates, output)) }
    }

    /// What 16 sums become, where `output` is.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    unsafe fn result(self, x: __m512, gates: __m512, output: &[f32]) -> __m512 {
        // SAFETY: as promised by the caller.
        unsafe {
            match self {
                Self::Store => x,
                Self::Gelu => gelu(x),
                Self::Add => _mm512_add_ps(load(output), x),
                Self::Gate => _mm512_mul_ps(gelu(gates), x),
            }
        }
    }
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
    let (end, streams) = (target.end(), target.streams());
    let Target { output, width, bias, form, .. } = target;
    let (columns, first) = match form {
        Form::Plain => (COLUMNS, panel * COLUMNS),
        Form::Gated => (LANES, panel * LANES),
    };
    let Some(bias) = bias.get(panel * COLUMNS..) else { return };
    let biases = (load(bias), load(bias.get(LANES..).unwrap_or_default()));
    let put = |x, gates, output: &mut [f32]| {
        // SAFETY: this function has AVX-512.
        let x = unsafe { end.result(x, gates, output) };
        if streams { stream(output, x) } else { store(output, x) }
    };
    let rows = output.chunks_exact_mut(*width).skip(row).take(count);
    for (sums, output) in sums.as_chunks::<COLUMNS>().0.iter().zip(rows) {
        let output = output.get_mut(first..(first + columns).min(*width)).unwrap_or_default();
        let (sums, more) = sums.split_at(LANES);
        let x = _mm512_add_ps(load(sums), biases.0);
        let y = _mm512_add_ps(load(more), biases.1);
        if matches!(end, End::Gate) {
            put(y, x, output);
        } else {
            let (low, high) = output.split_at_mut(LANES.min(output.len()));
            put(x, x, low);
            put(y, y, high);
        }
    }
}
