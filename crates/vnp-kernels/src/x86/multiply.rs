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

use std::arch::x86_64::{__m512, _MM_HINT_T1, _mm_prefetch, _mm_sfence, _mm512_setzero_ps};

use super::finish::{Target, finish};
use super::lanes::LANES;
use super::panels::{PANELS_AT_A_TIME, Panels};
use super::tile::{PIECE, ROWS};
use super::transpose::place_words;
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
    /// Inputs that a word holds.
    const OF_A_WORD: usize;
    /// Whether a word with their scale is before those of the inputs.
    const SCALED: bool;

    /// Words that hold some inputs of a row, or weights of a column: whole vectors, and the scale.
    fn words(inputs: usize) -> usize {
        usize::from(Self::SCALED) + inputs.div_ceil(Self::OF_A_WORD * LANES) * LANES
    }

    /// How these inputs or weights become words.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn scaling(_: &[f32]) -> Scaling {
        Scaling::default()
    }

    /// The words of as many values as a vector holds; those that are lacking count as zeros.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn vector(values: &[f32], scaling: &Scaling) -> __m512;

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

/// How values become fixed-point numbers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scaling {
    /// What an integer counts.
    pub(super) scale: f32,
    /// What values are multiplied by, one after the other: a single factor may be beyond f32.
    pub(super) factors: [f32; 2],
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
    let Scratch { words: packed, sums, .. } = scratch;
    if weights.inputs == 0 {
        return;
    }
    for (index, x) in x.chunks(ROWS_AT_A_TIME * weights.inputs).enumerate() {
        // SAFETY: as promised by the caller.
        unsafe {
            pack(weights, x, packed);
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
unsafe fn pack<M: Micro>(weights: &Panels<M>, x: &[f32], packed: &mut Buffer<u32>) {
    let tiles = (x.len() / weights.inputs).div_ceil(ROWS);
    let packed = packed.resize(tiles * ROWS * weights.words());
    for block in weights.blocks() {
        let first = tiles * ROWS * block.before;
        let of_block = packed.get_mut(first..first + tiles * ROWS * block.words);
        let of_block = of_block.unwrap_or_default().chunks_exact_mut(ROWS * block.words);
        for (at, (tile, rows)) in of_block.zip(x.chunks(ROWS * weights.inputs)).enumerate() {
            let below = x.get((at + 1) * ROWS * weights.inputs..).unwrap_or_default();
            let mut below = below.chunks_exact(weights.inputs);
            let inputs = block.start..block.start + block.inputs;
            let rows = rows.chunks_exact(weights.inputs).map(|row| {
                // Pieces of rows are too short for the CPU to foresee the next tile's.
                prefetch(below.next().and_then(|row| row.get(inputs.clone())).unwrap_or_default());
                row.get(inputs.clone()).unwrap_or_default()
            });
            // SAFETY: as promised by the caller; every kernel's CPU has these parts of AVX-512.
            unsafe { pack_tile::<M>(rows, tile) };
        }
    }
}

/// Packs at most 12 rows; those that are lacking are zeros. Between numbers and tile the words are
/// in registers only.
///
/// # Safety
/// As [`multiply`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn pack_tile<'x, M: Micro>(rows: impl Iterator<Item = &'x [f32]>, tile: &mut [u32]) {
    let mut all: [(&[f32], Scaling); ROWS] = Default::default();
    for (place, row) in all.iter_mut().zip(rows) {
        // SAFETY: as promised by the caller.
        *place = (row, unsafe { M::scaling(row) });
    }
    let scales = usize::from(M::SCALED) * ROWS;
    let Some((scales, tile)) = tile.split_at_mut_checked(scales) else { return };
    for (place, (_, scaling)) in scales.iter_mut().zip(&all) {
        *place = scaling.scale.to_bits();
    }
    for first in (0..tile.len() / ROWS).step_by(LANES) {
        let mut block = [_mm512_setzero_ps(); LANES];
        for (place, (row, scaling)) in block.iter_mut().zip(&all) {
            let values = row.get(first * M::OF_A_WORD..).unwrap_or_default();
            // SAFETY: as promised by the caller.
            *place = unsafe { M::vector(values, scaling) };
        }
        place_words(&block, ROWS, first, tile);
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
