//! The trait of kernels that multiply one tile in AMX registers.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![expect(clippy::indexing_slicing, reason = "a column is below those of a register")]

use std::arch::x86_64::__m512;

use super::tiles::{SIDE, Sums};
use crate::buffer::Buffer;
use crate::scratch::Scratch;

/// A product of a tile of rows and a panel, over one block of inputs.
pub(crate) trait Kernel: Send + Sync + 'static {
    /// The type of packed operands.
    type Element: Copy + Default + Send + Sync;
    /// The type of sums.
    type Sum: Copy + Default;
    /// Rows of a tile.
    const ROWS: usize;
    /// Inputs of a step: both operands are padded to a multiple.
    const STEP: usize;
    /// Elements of one input of a row.
    const TERMS: usize;
    /// Elements of one weight.
    const WEIGHT_TERMS: usize;
    /// Rows that are packed at a time, a multiple of a tile's: with a block of inputs they stay in
    /// the second-level cache.
    const ROWS_AT_A_TIME: usize;
    /// Parts of a panel that are multiplied one after the other.
    const PARTS: usize;
    /// Whether rows and columns have scales; otherwise these are 1.
    const SCALED: bool;

    /// The kernel's buffers in a thread's scratch.
    fn buffers(scratch: &mut Scratch) -> Buffers<'_, Self::Element>;

    /// Packs the weights of one column and block into a panel; returns their scale.
    ///
    /// # Safety
    /// The CPU has AVX-512 F, BW and BF16.
    unsafe fn pack_column(weights: &[f32], column: usize, panel: &mut [Self::Element]) -> f32;

    /// Packs inputs as row `row` of a tile, which is zero beyond the last input; returns their scale.
    ///
    /// # Safety
    /// As [`Kernel::pack_column`].
    unsafe fn pack_row(inputs: &[f32], row: usize, tile: &mut [Self::Element]) -> f32;

    /// Adds the products of a step, of a tile's rows and a part of a panel, to registers 0 to 3.
    ///
    /// # Safety
    /// The CPU has AMX with BF16 and INT8, and [`configure`](super::tiles::configure) was called.
    /// The slices hold a step's elements: `ROWS * STEP * TERMS`, and
    /// `COLUMNS / PARTS * STEP * WEIGHT_TERMS`.
    unsafe fn step(tile: &[Self::Element], part: &[Self::Element]);

    /// The sums of a row and half of a panel's columns, to be multiplied by the scales of both.
    ///
    /// # Safety
    /// As [`Kernel::pack_column`].
    unsafe fn row(sums: &Sums<Self::Sum>, row: usize, half: usize) -> __m512;
}

/// The buffers of a product.
pub(crate) struct Buffers<'a, E> {
    /// Packed rows.
    pub(super) rows: &'a mut Buffer<E>,
    /// One per packed row.
    pub(super) scales: &'a mut Buffer<f32>,
    /// Sums that wait for the next block.
    pub(super) waiting: &'a mut Buffer<f32>,
}

/// Packs groups of `N` values, 4 bytes each, into a column of a register of weights.
pub(super) fn pack_groups<T: Copy, const N: usize>(
    values: &[T],
    column: usize,
    register: &mut [T],
) {
    let rows = register.chunks_exact_mut(SIDE * N);
    for (row, group) in rows.zip(values.as_chunks::<N>().0) {
        row[column * N..][..N].copy_from_slice(group);
    }
}
