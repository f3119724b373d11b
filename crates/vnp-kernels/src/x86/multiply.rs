//! Matrix products over packed weights in vector registers: the loops around a kernel of one tile.
//! AMX has loops of its own, in `amx`.
//!
//! Weights are packed once into panels of 32 columns, cut into blocks of inputs that fit the
//! first-level cache; a block stays there while all rows pass it. Rows are packed a few hundred at a
//! time, and a block of their inputs stays in the second-level cache for a group of panels. The sums
//! of a tile wait in f32 between two blocks of inputs, and the epilogue runs when a tile's last block
//! is added. Products are added to a sum in the same order for every row.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![expect(
    clippy::indexing_slicing,
    reason = "`Linear::forward` checks rows and output; buffers are resized for every tile and block"
)]

use std::arch::x86_64::{_mm_sfence, _mm512_setzero_ps};

use super::epilogue::{finish, streams};
use super::lanes::{LANES, after};
use super::micro::{Micro, Scaling};
use super::panels::{PANELS_AT_A_TIME, Panels};
use super::prefetch::prefetch;
use super::tile::{COLUMNS, PIECE, ROWS};
use super::transpose::pack_words;
use crate::buffer::Buffer;
use crate::epilogue::Destination;
use crate::error::Error;
use crate::packed::PackedWeights;
use crate::scratch::Scratch;

/// Rows packed at a time: a multiple of a tile's.
const ROWS_AT_A_TIME: usize = 240;

impl<M: Micro> PackedWeights for Panels<M> {
    fn columns(&self) -> usize {
        self.layout.columns()
    }

    fn column(&self, output: usize) -> usize {
        self.layout.column(output)
    }

    fn pack(&mut self, column: usize, weights: &[f32]) {
        self.pack(column, weights);
    }

    fn multiply(
        &self,
        x: &[f32],
        destination: &mut Destination<'_>,
        scratch: &mut Scratch,
    ) -> Result<(), Error> {
        let Scratch { words: packed, sums, .. } = scratch;
        for (index, x) in x.chunks(ROWS_AT_A_TIME * self.inputs).enumerate() {
            // SAFETY: as promised to `Panels::new`.
            unsafe {
                pack(self, x, packed);
                let rows = x.len() / self.inputs;
                pass(self, index * ROWS_AT_A_TIME, rows, packed.get(), destination, sums);
            }
        }
        if streams(destination) {
            // SAFETY: every x86-64 has it. Before another thread reads what was written past the caches.
            unsafe { _mm_sfence() };
        }
        Ok(())
    }
}

/// Packs rows: blocks of inputs, then tiles.
///
/// # Safety
/// The CPU has the kernel's instructions.
unsafe fn pack<M: Micro>(weights: &Panels<M>, x: &[f32], packed: &mut Buffer<u32>) {
    let tiles = (x.len() / weights.inputs).div_ceil(ROWS);
    let packed = packed.resize(tiles * ROWS * weights.words());
    for block in weights.blocks() {
        let of_block =
            &mut packed[tiles * ROWS * block.words_before..][..tiles * ROWS * block.words];
        let tiles = of_block.chunks_exact_mut(ROWS * block.words);
        for (index, (tile, rows)) in tiles.zip(x.chunks(ROWS * weights.inputs)).enumerate() {
            let mut next_rows =
                after(x, (index + 1) * ROWS * weights.inputs).chunks_exact(weights.inputs);
            let inputs = block.start..block.start + block.inputs;
            let rows = rows.chunks_exact(weights.inputs).map(|row| {
                // Pieces of rows are too short for the CPU to foresee those of the next tile.
                if let Some(next) = next_rows.next() {
                    prefetch(&next[inputs.clone()]);
                }
                &row[inputs.clone()]
            });
            // SAFETY: as promised by the caller; every kernel's CPU has these parts of AVX-512.
            unsafe { pack_tile::<M>(rows, tile) };
        }
    }
}

/// Packs at most 12 rows; missing ones count as zeros. Between values and tile, the words are only in
/// registers.
///
/// # Safety
/// The CPU has the kernel's instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn pack_tile<'x, M: Micro>(rows: impl Iterator<Item = &'x [f32]>, tile: &mut [u32]) {
    let mut scaled_rows: [(&[f32], Scaling); ROWS] = Default::default();
    for (scaled, row) in scaled_rows.iter_mut().zip(rows) {
        // SAFETY: as promised by the caller.
        *scaled = (row, unsafe { M::scaling(row) });
    }
    let (scales, tile) = tile.split_at_mut(usize::from(M::SCALED) * ROWS);
    for (word, (_, scaling)) in scales.iter_mut().zip(&scaled_rows) {
        *word = scaling.scale.to_bits();
    }
    for first in (0..tile.len() / ROWS).step_by(LANES) {
        let mut vectors = [_mm512_setzero_ps(); LANES];
        for (vector, (row, scaling)) in vectors.iter_mut().zip(&scaled_rows) {
            // SAFETY: as promised by the caller.
            *vector = unsafe { M::vector(after(row, first * M::OF_A_WORD), scaling) };
        }
        pack_words(&vectors, ROWS, first, tile);
    }
}

/// Multiplies packed rows and all panels.
///
/// # Safety
/// The CPU has the kernel's instructions.
unsafe fn pass<M: Micro>(
    weights: &Panels<M>,
    first_row: usize,
    rows: usize,
    packed: &[u32],
    destination: &mut Destination<'_>,
    sums: &mut Buffer<f32>,
) {
    const TILE: usize = ROWS * COLUMNS;
    let tiles = rows.div_ceil(ROWS);
    let sums = sums.resize(PANELS_AT_A_TIME * tiles * TILE);
    let mut order = weights.order().peekable();
    while let Some((panel, block)) = order.next() {
        let columns = weights.get(panel, block);
        let pieces = block.words.div_ceil(PIECE);
        // The next weights come from memory while these are multiplied.
        let next = order.peek().map_or(&[][..], |(panel, block)| weights.get(*panel, *block));
        let mut next = next.chunks(next.len().div_ceil(tiles * pieces).max(1));
        let sums = &mut sums[panel % PANELS_AT_A_TIME * tiles * TILE..][..tiles * TILE];
        let rows_of_tiles =
            packed[tiles * ROWS * block.words_before..].chunks_exact(ROWS * block.words);
        for (tile, (a, sums)) in rows_of_tiles.zip(sums.as_chunks_mut::<TILE>().0).enumerate() {
            let mut between = || next.next().into_iter().for_each(prefetch);
            // SAFETY: as promised by the caller.
            unsafe { M::run(a, columns, sums, block.start == 0, &mut between) };
            if block.is_last {
                let row = tile * ROWS;
                let count = ROWS.min(rows - row);
                // SAFETY: every kernel's CPU has AVX-512.
                unsafe { finish(sums, first_row + row, count, panel, destination) };
            }
        }
    }
}
