//! Matrix products over packed weights in vector registers: the loops around a kernel of one tile.
//! Those of AMX have loops of their own, in `amx`.
//!
//! Weights are packed once into panels of 32 columns, cut into blocks of inputs that fit the
//! first-level cache, where one stays while all rows pass it. Rows are packed a few hundred at a
//! time, and a block of inputs of them stays in the second-level cache for a group of panels. Sums
//! of a tile wait in f32 between two blocks of inputs, and what follows the product is done when a
//! tile's last block is added. The order in which products are added to a sum is
//! the same for every row.
//!
//! Packed operands are words of 32 bits: what a kernel makes of the inputs of a row it makes of the
//! weights of a column. Both lie word by word: a word of the 12 rows of a tile, or of the 32 columns
//! of a panel, then the next.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch, _mm_sfence};

use super::finish::{Target, finish};
use super::panels::{PANELS_AT_A_TIME, Panels};
use super::tile::{PIECE, ROWS};
use super::transpose::interleave;
use crate::buffer::Buffer;
use crate::linear::Scratch;

/// Bytes of a cache line.
const LINE: usize = 64;
/// Columns of a panel.
pub(crate) const COLUMNS: usize = 32;
/// Rows packed at a time: a multiple of a tile's.
const ROWS_AT_A_TIME: usize = 240;

/// A kernel of one tile.
pub(crate) trait Micro: Send + Sync + 'static {
    /// Inputs of a block.
    const BLOCK: usize;

    /// Words that hold some inputs of a row, or weights of a column.
    fn words(inputs: usize) -> usize;

    /// Makes them; those beyond the last input are zero.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn convert(values: &[f32], words: &mut [u32]);

    /// Makes a tile of at most 12 rows; `lines` has room for their words.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn pack<'x>(
        rows: impl ExactSizeIterator<Item = &'x [f32]>,
        lines: &mut [u32],
        tile: &mut [u32],
    ) {
        let (count, words) = (rows.len(), tile.len() / ROWS);
        for (row, line) in rows.zip(lines.chunks_exact_mut(words)) {
            // SAFETY: as promised by the caller.
            unsafe { Self::convert(row, line) };
        }
        // SAFETY: every kernel's CPU has AVX-512.
        unsafe { interleave(lines.chunks_exact(words).take(count), ROWS, tile) };
    }

    /// Sets `sums` to the product of a tile and a block, or adds it. Calls `between` at times.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn run(
        tile: &[u32],
        block: &[u32],
        sums: &mut [f32; ROWS * COLUMNS],
        first: bool,
        between: &mut impl FnMut(),
    );
}

/// The packed weights of a layer, whatever their kernel.
pub(crate) trait Packed: Send + Sync {
    /// Packs the weights of one column.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn set(&mut self, panel: usize, column: usize, weights: &[f32]);

    /// Multiplies the rows of `x` and finishes each tile into `target`.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch);
}

/// Multiplies the rows of `x` and finishes each tile into `target`.
///
/// # Safety
/// The CPU has the kernel's instructions.
pub(super) unsafe fn multiply<M: Micro>(
    weights: &Panels<M>,
    x: &[f32],
    target: &mut Target<'_>,
    scratch: &mut Scratch,
) {
    let Scratch { words: packed, lines, sums, .. } = scratch;
    if weights.inputs == 0 {
        return;
    }
    for (index, x) in x.chunks(ROWS_AT_A_TIME * weights.inputs).enumerate() {
        // SAFETY: as promised by the caller.
        unsafe {
            pack(weights, x, packed, lines);
            let rows = x.len() / weights.inputs;
            pass(weights, index * ROWS_AT_A_TIME, rows, packed.get(), target, sums);
        }
    }
    if target.streams() {
        // SAFETY: every x86-64 has it. Before anyone reads what was written past the caches.
        unsafe { _mm_sfence() };
    }
}

/// Packs rows: blocks of inputs, then tiles.
///
/// # Safety
/// As [`multiply`].
unsafe fn pack<M: Micro>(
    weights: &Panels<M>,
    x: &[f32],
    packed: &mut Buffer<u32>,
    lines: &mut Buffer<u32>,
) {
    let tiles = (x.len() / weights.inputs).div_ceil(ROWS);
    let packed = packed.resize(tiles * ROWS * weights.words());
    for block in weights.blocks() {
        let first = tiles * ROWS * block.before;
        let of_block = packed.get_mut(first..first + tiles * ROWS * block.words);
        let of_block = of_block.unwrap_or_default().chunks_exact_mut(ROWS * block.words);
        let lines = lines.resize(ROWS * block.words);
        for (at, (tile, rows)) in of_block.zip(x.chunks(ROWS * weights.inputs)).enumerate() {
            let below = x.get((at + 1) * ROWS * weights.inputs..).unwrap_or_default();
            let mut below = below.chunks_exact(weights.inputs);
            let inputs = block.start..block.start + block.inputs;
            let rows = rows.chunks_exact(weights.inputs).map(|row| {
                // Pieces of rows are too short for the CPU to foresee the next tile's.
                prefetch(below.next().and_then(|row| row.get(inputs.clone())).unwrap_or_default());
                row.get(inputs.clone()).unwrap_or_default()
            });
            // SAFETY: as promised by the caller.
            unsafe { M::pack(rows, lines, tile) };
        }
    }
}

/// Multiplies packed rows.
///
/// # Safety
/// As [`multiply`].
unsafe fn pass<M: Micro>(
    weights: &Panels<M>,
    first_row: usize,
    rows: usize,
    packed: &[u32],
    target: &mut Target<'_>,
    sums: &mut Buffer<f32>,
) {
    const TILE: usize = ROWS * COLUMNS;
    let tiles = rows.div_ceil(ROWS);
    let sums = sums.resize(PANELS_AT_A_TIME * tiles * TILE);
    let mut order = weights.order().peekable();
    while let Some((panel, block)) = order.next() {
        let columns = weights.of(panel, block);
        let pieces = block.words.div_ceil(PIECE);
        // The next ones come from memory while these are multiplied.
        let next = order.peek().map(|(panel, block)| weights.of(*panel, *block));
        let next = next.unwrap_or_default();
        let mut next = next.chunks(next.len().div_ceil(tiles * pieces).max(1));
        let sums = sums.chunks_exact_mut(tiles * TILE).nth(panel % PANELS_AT_A_TIME);
        let sums = sums.unwrap_or_default().as_chunks_mut::<TILE>().0;
        let rows_of_tiles = packed.get(tiles * ROWS * block.before..).unwrap_or_default();
        let rows_of_tiles = rows_of_tiles.chunks_exact(ROWS * block.words);
        for (tile, (a, sums)) in rows_of_tiles.zip(sums).enumerate() {
            let mut between = || prefetch(next.next().unwrap_or_default());
            // SAFETY: as promised by the caller.
            unsafe { M::run(a, columns, sums, block.start == 0, &mut between) };
            if block.is_last {
                let row = tile * ROWS;
                let count = ROWS.min(rows - row);
                // SAFETY: every kernel's CPU has AVX-512.
                unsafe { finish(sums, first_row + row, count, panel, target) };
            }
        }
    }
}

/// Asks for a slice to be brought into the second-level cache.
pub(crate) fn prefetch<T>(slice: &[T]) {
    for line in slice.chunks(LINE / size_of::<T>().max(1)) {
        // SAFETY: a hint, which may be of any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}
