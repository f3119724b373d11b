//! Matrix products over packed weights in vector registers: the loops around a kernel of one tile.
//! Those of AMX have loops of their own, in `amx`.
//!
//! Weights are packed once into panels of 32 columns, cut into blocks of inputs that fit the
//! first-level cache, where one stays while all rows pass it. Rows are packed a few hundred at a
//! time, and a block of inputs of them stays in the second-level cache for a group of panels. Sums
//! of a tile wait in f32 between two blocks of inputs, and what follows the product is done when a
//! tile's last block is added. The order in which products are added to a sum is
//! the same for every row.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use super::finish::{Target, finish};
use crate::buffer::Buffer;
use crate::linear::Scratch;

/// Columns of a panel.
pub(crate) const COLUMNS: usize = 32;
/// Rows packed at a time: a multiple of the rows of every tile.
const ROWS_AT_A_TIME: usize = 480;
/// Panels that share a pass over the rows' blocks of inputs.
const PANELS_AT_A_TIME: usize = 8;

/// A kernel of one tile.
pub(crate) trait Micro: Sized + Send + Sync + 'static {
    /// What packed operands are made of.
    type Element: Copy + Default + Send + Sync;
    /// Rows of a tile.
    const ROWS: usize;
    /// Inputs are padded to a multiple of this.
    const STEP: usize;
    /// Inputs of a block, a multiple of the step.
    const BLOCK: usize;

    /// Puts a weight of input `k` into its block of a panel.
    fn pack_weight(value: f32, k: usize, column: usize, block: &mut [Self::Element]);

    /// Puts inputs of row `at` into their block of a tile, which is zeroed.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn pack_row(row: &[f32], at: usize, tile: &mut [Self::Element]);

    /// Sets `sums`, `[ROWS, 32]`, to the product of a tile and a block, or adds it.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn run(tile: &[Self::Element], block: &[Self::Element], sums: &mut [f32], first: bool);

    /// The places for packed rows and for sums.
    fn rows(scratch: &mut Scratch) -> (&mut Buffer<Self::Element>, &mut Buffer<f32>);
}

/// The packed weights of a layer, whatever their kernel.
pub(crate) trait Packed: Send + Sync {
    /// Packs the weights of one column.
    fn set(&mut self, panel: usize, column: usize, weights: &[f32]);

    /// Multiplies the rows of `x` and finishes each tile into `target`.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch);
}

/// Weights in the order in which a kernel reads them.
pub(crate) struct Panels<M: Micro> {
    values: Buffer<M::Element>,
    inputs: usize,
}

/// Some inputs of a panel.
struct Block {
    panel: usize,
    start: usize,
    length: usize,
}

impl<M: Micro> Panels<M> {
    pub(crate) fn new(panels: usize, inputs: usize) -> Self {
        let padded = inputs.next_multiple_of(M::STEP);
        Self { values: Buffer::zeroed(panels * padded * COLUMNS), inputs }
    }

    /// Elements of a panel.
    fn panel(&self) -> usize {
        self.padded() * COLUMNS
    }

    fn padded(&self) -> usize {
        self.inputs.next_multiple_of(M::STEP)
    }

    fn blocks(&self) -> impl Iterator<Item = (usize, usize)> + use<M> {
        let padded = self.padded();
        (0..padded).step_by(M::BLOCK).map(move |start| (start, M::BLOCK.min(padded - start)))
    }

    /// The blocks in the order in which rows pass them: for some panels together, by inputs.
    fn order(&self) -> impl Iterator<Item = Block> + use<'_, M> {
        let panels = self.values.get().len() / self.panel();
        (0..panels).step_by(PANELS_AT_A_TIME).flat_map(move |first| {
            self.blocks().flat_map(move |(start, length)| {
                let panels = first..panels.min(first + PANELS_AT_A_TIME);
                panels.map(move |panel| Block { panel, start, length })
            })
        })
    }

    fn block(&self, panel: usize, start: usize, length: usize) -> &[M::Element] {
        let first = panel * self.panel() + start * COLUMNS;
        let range = first..first + length * COLUMNS;
        self.values.get().get(range).unwrap_or_default()
    }

    /// Packs rows: blocks of inputs, then tiles.
    ///
    /// # Safety
    /// As [`Packed::multiply`].
    unsafe fn pack(&self, x: &[f32], rows: usize, packed: &mut Buffer<M::Element>) {
        let tiles = rows.div_ceil(M::ROWS);
        let of_a_step = tiles * M::ROWS;
        let packed = packed.resize(of_a_step * self.padded());
        // Rows of the last tile, and inputs of every row, may be such that nothing is written to.
        if !rows.is_multiple_of(M::ROWS) || !self.inputs.is_multiple_of(M::STEP) {
            packed.fill(M::Element::default());
        }
        for (start, length) in self.blocks() {
            let block = packed.get_mut(start * of_a_step..(start + length) * of_a_step);
            let tiles = block.unwrap_or_default().chunks_exact_mut(length * M::ROWS);
            for (tile, x) in tiles.zip(x.chunks(M::ROWS * self.inputs)) {
                for (at, row) in x.chunks_exact(self.inputs).enumerate() {
                    let row = row.get(start..self.inputs.min(start + length)).unwrap_or_default();
                    // SAFETY: as promised by the caller.
                    unsafe { M::pack_row(row, at, tile) };
                }
            }
        }
    }

    /// # Safety
    /// As [`Packed::multiply`].
    unsafe fn group(
        &self,
        first_row: usize,
        rows: usize,
        packed: &[M::Element],
        target: &mut Target<'_>,
        sums: &mut Buffer<f32>,
    ) {
        let tiles = rows.div_ceil(M::ROWS);
        let of_a_step = tiles * M::ROWS;
        let of_a_panel = tiles * M::ROWS * COLUMNS;
        let sums = sums.resize(PANELS_AT_A_TIME * of_a_panel);
        let last = self.blocks().last().map_or(0, |(start, _)| start);
        let mut blocks = self.order().peekable();
        while let Some(Block { panel, start, length }) = blocks.next() {
            let b = self.block(panel, start, length);
            let next = blocks.peek().map(|next| self.block(next.panel, next.start, next.length));
            // The next block comes from memory while this one is multiplied, a slice a tile.
            let next = next.unwrap_or_default();
            let mut next = next.chunks(next.len().div_ceil(tiles).max(1));
            let sums = sums.chunks_exact_mut(of_a_panel).nth(panel % PANELS_AT_A_TIME);
            let sums = sums.unwrap_or_default().chunks_exact_mut(M::ROWS * COLUMNS);
            let a = packed.get(start * of_a_step..(start + length) * of_a_step);
            let a = a.unwrap_or_default().chunks_exact(length * M::ROWS);
            for (tile, (a, sums)) in a.zip(sums).enumerate() {
                prefetch(next.next().unwrap_or_default());
                // SAFETY: as promised by the caller.
                unsafe { M::run(a, b, sums, start == 0) };
                if start == last {
                    let row = tile * M::ROWS;
                    let count = M::ROWS.min(rows - row);
                    // SAFETY: every kernel's CPU has AVX-512.
                    unsafe { finish(sums, first_row + row, count, panel, target) };
                }
            }
        }
    }
}

impl<M: Micro> Packed for Panels<M> {
    fn set(&mut self, panel: usize, column: usize, weights: &[f32]) {
        let size = self.panel();
        let Some(panel) = self.values.get_mut().get_mut(panel * size..(panel + 1) * size) else {
            return;
        };
        let blocks = panel.chunks_mut(M::BLOCK * COLUMNS);
        for (block, weights) in blocks.zip(weights.chunks(M::BLOCK)) {
            for (k, weight) in weights.iter().enumerate() {
                M::pack_weight(*weight, k, column, block);
            }
        }
    }

    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch) {
        let (packed, sums) = M::rows(scratch);
        if self.inputs == 0 {
            return;
        }
        for (group, x) in x.chunks(ROWS_AT_A_TIME * self.inputs).enumerate() {
            let rows = x.len() / self.inputs;
            // SAFETY: as promised by the caller.
            unsafe {
                self.pack(x, rows, packed);
                self.group(group * ROWS_AT_A_TIME, rows, packed.get(), target, sums);
            }
        }
    }
}

/// Asks for a slice to be brought into the second-level cache.
pub(crate) fn prefetch<T>(slice: &[T]) {
    use std::arch::x86_64::{_MM_HINT_T1, _mm_prefetch};
    const LINE: usize = 64;
    for line in slice.chunks(LINE / size_of::<T>().max(1)) {
        // SAFETY: a hint, which may be of any address.
        unsafe { _mm_prefetch::<_MM_HINT_T1>(line.as_ptr().cast()) };
    }
}
