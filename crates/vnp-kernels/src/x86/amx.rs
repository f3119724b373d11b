//! Products on AMX tiles.
//!
//! A kernel here multiplies a tile of rows and a panel of 32 columns, over one block of inputs, in
//! the tile registers. These are configured once for a whole product, so that nothing but the
//! kernels touches them between: the compiler never uses them by itself. What follows the product
//! of one tile is done in vector registers between the steps of the next one's: the two kinds of
//! instructions have units of their own, and work side by side.
//!
//! * [`bf16`]: one product of bf16 for each of the matrices'.
//! * [`digits`]: f32, as exact integers.

#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

mod bf16;
mod digits;
mod finish;
mod multiply;
mod panels;
mod tiles;

pub(crate) use bf16::AmxBf16;
pub(crate) use digits::AmxF32;
pub(crate) use panels::Panels;

use std::arch::x86_64::__m512;

use crate::linear::Scratch;
use multiply::Buffers;
use tiles::Sums;

/// Columns of a panel, of which each tile register holds half.
const COLUMNS: usize = crate::x86::multiply::COLUMNS;
/// Rows of a tile register, and columns of 32 bits.
const SIDE: usize = 16;
/// Bytes of a tile register.
const TILE: usize = 1024;
/// At most so many inputs are multiplied before what follows a product, so that rows and weights of
/// as many are in the second-level cache together. The sums of [`digits`] have room for 43,000.
const BLOCK: usize = 1280;

/// A product of a tile of rows and a panel, over one block of inputs.
pub(crate) trait Kernel: Send + Sync + 'static {
    /// What packed operands are made of.
    type Element: Copy + Default + Send + Sync;
    /// What sums are.
    type Sum: Copy + Default;
    /// Rows of a tile.
    const ROWS: usize;
    /// Inputs of a step: both operands are padded to a multiple.
    const STEP: usize;
    /// Elements that hold one input of a row.
    const TERMS: usize;
    /// Elements that hold one weight.
    const WEIGHT_TERMS: usize;
    /// Rows that are packed at a time, a multiple of a tile's: with a block of inputs they stay in
    /// the second-level cache.
    const ROWS_AT_A_TIME: usize;
    /// Parts of a panel that are multiplied one after the other.
    const PARTS: usize;
    /// Whether rows and columns have scales; otherwise these are 1.
    const SCALED: bool;

    /// Its places among a thread's buffers.
    fn buffers(scratch: &mut Scratch) -> Buffers<'_, Self::Element>;

    /// Puts one column's weights of a block into its place in a panel; returns their scale.
    ///
    /// # Safety
    /// The CPU has AVX-512 F, BW and BF16.
    unsafe fn pack_column(weights: &[f32], column: usize, panel: &mut [Self::Element]) -> f32;

    /// Puts inputs of row `at` of a tile into it, where places beyond the last input are zero;
    /// returns their scale.
    ///
    /// # Safety
    /// As [`Kernel::pack_column`].
    unsafe fn pack_row(inputs: &[f32], at: usize, tile: &mut [Self::Element]) -> f32;

    /// Adds the products of a step, of a tile's rows and a part of a panel, to registers 0 to 3.
    ///
    /// # Safety
    /// The CPU has AMX with BF16 and INT8; after [`tiles::configure`]. A step's elements are all
    /// there: `ROWS * STEP * TERMS`, and `COLUMNS / PARTS * STEP * WEIGHT_TERMS`.
    unsafe fn step(tile: &[Self::Element], part: &[Self::Element]);

    /// The sums of a row and half of a panel's columns, to be multiplied by the scales of both.
    ///
    /// # Safety
    /// As [`Kernel::pack_column`].
    unsafe fn row(sums: &Sums<Self::Sum>, row: usize, half: usize) -> __m512;
}

/// Puts each `N` values, 4 bytes in all, next to each other into a column of a register of weights.
fn place_groups<T: Copy, const N: usize>(values: &[T], column: usize, register: &mut [T]) {
    let rows = register.chunks_exact_mut(SIDE * N);
    for (row, group) in rows.zip(values.as_chunks::<N>().0) {
        if let Some(place) = row.as_chunks_mut::<N>().0.get_mut(column) {
            *place = *group;
        }
    }
}
