//! The loops around a kernel on AMX tiles.
//!
//! Rows are packed some hundreds at a time, one block of inputs after the other, and every panel
//! passes them while they are in the second-level cache. Between two blocks the sums of a tile wait
//! in f32. Products are added to a sum in the same order for every row.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![expect(clippy::indexing_slicing, reason = "blocks of inputs end within a row")]

use super::finish::{Finisher, Multiplied};
use super::kernel::{Buffers, Kernel};
use super::panels::{Block, Panels};
use super::tiles::{self, Sums};
use crate::buffer::Buffer;
use crate::epilogue::Destination;
use crate::error::Error;
use crate::packed::PackedWeights;
use crate::scratch::Scratch;
use crate::x86::prefetch::prefetch;
use crate::x86::tile::COLUMNS;

/// Rows that are finished between two steps, or more if there are too few steps: each call has a cost.
const ROWS_A_STEP: usize = 4;

impl<K: Kernel> PackedWeights for Panels<K> {
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
        // SAFETY: as promised to `Panels::new`.
        unsafe { multiply(self, x, destination, K::buffers(scratch)) };
        Ok(())
    }
}

/// Multiplies the rows of `x`, and writes the results to the destination.
///
/// # Safety
/// The CPU has AMX with BF16 and INT8, and AVX-512 F, BW, DQ and BF16.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn multiply<K: Kernel>(
    weights: &Panels<K>,
    x: &[f32],
    destination: &mut Destination<'_>,
    buffers: Buffers<'_, K::Element>,
) {
    let Buffers { rows: packed, scales, waiting } = buffers;
    // SAFETY: as promised by the caller, here and below.
    unsafe { tiles::configure() };
    for (group, x) in x.chunks(K::ROWS_AT_A_TIME * weights.inputs).enumerate() {
        let rows = x.len() / weights.inputs;
        let waiting =
            waiting.resize(weights.layout.panels * rows.next_multiple_of(K::ROWS) * COLUMNS);
        for block in weights.blocks() {
            // SAFETY: see above.
            unsafe { pack(weights, x, block, packed, scales) };
            let finisher = Finisher {
                weights,
                block,
                first_row: group * K::ROWS_AT_A_TIME,
                scales: scales.get(),
                waiting,
                destination,
            };
            // SAFETY: see above.
            unsafe { pass(weights, block, rows, packed.get(), finisher) };
        }
    }
    // SAFETY: see above.
    unsafe { tiles::release() };
}

/// Packs a block of rows, tile by tile.
///
/// # Safety
/// As [`multiply`].
unsafe fn pack<K: Kernel>(
    weights: &Panels<K>,
    x: &[f32],
    block: Block,
    packed: &mut Buffer<K::Element>,
    scales: &mut Buffer<f32>,
) {
    let rows = x.len() / weights.inputs;
    let padded_rows = rows.next_multiple_of(K::ROWS);
    let packed = packed.resize(padded_rows * block.padded * K::TERMS);
    let scales = scales.resize(padded_rows);
    // Packing a row does not write to the inputs beyond its last.
    if block.padded > block.inputs {
        packed.fill(K::Element::default());
    }
    let tiles = packed.chunks_exact_mut(K::ROWS * block.padded * K::TERMS);
    let rows = x.chunks(K::ROWS * weights.inputs).zip(scales.chunks_exact_mut(K::ROWS));
    for (tile, (x, scales)) in tiles.zip(rows) {
        for (row, (x, scale)) in x.chunks_exact(weights.inputs).zip(scales).enumerate() {
            let inputs = &x[block.start..block.start + block.inputs];
            // SAFETY: as promised by the caller.
            *scale = unsafe { K::pack_row(inputs, row, tile) };
        }
    }
}

/// Multiplies packed rows and all panels.
///
/// # Safety
/// As [`multiply`].
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512bf16")]
unsafe fn pass<K: Kernel>(
    weights: &Panels<K>,
    block: Block,
    rows: usize,
    packed: &[K::Element],
    mut finisher: Finisher<'_, '_, K>,
) {
    let tiles = rows.div_ceil(K::ROWS);
    let steps = block.padded / K::STEP;
    let rows_a_step = K::ROWS.div_ceil(steps.max(1)).max(ROWS_A_STEP);
    let mut sums = <[Sums<K::Sum>; 2]>::default();
    let [even, odd] = &mut sums;
    let (mut now, mut before) = (even, odd);
    let mut multiplied = Multiplied::default();
    for panel in 0..weights.layout.panels {
        let (columns, next) = weights.panel(block, panel);
        // The next panel comes from memory while this one is multiplied. A shorter one is left to the CPU.
        let next = next.get(..columns.len()).unwrap_or_default();
        let mut next =
            next.chunks(columns.len().div_ceil((tiles * K::PARTS * steps).max(1)).max(1));
        let parts = columns.chunks_exact((columns.len() / K::PARTS).max(1));
        for (part, columns) in parts.enumerate() {
            let rows_of_tiles = packed.chunks_exact(K::ROWS * block.padded * K::TERMS);
            for (tile, a) in rows_of_tiles.enumerate() {
                let mut between = || {
                    next.next().into_iter().for_each(prefetch);
                    // SAFETY: as promised by the caller.
                    unsafe { finisher.finish_rows(&mut multiplied, before, rows_a_step) };
                };
                // SAFETY: as promised by the caller.
                unsafe { tile_by_part::<K>(a, columns, now, &mut between) };
                let (next, of_part) = (tile * K::ROWS, 2 / K::PARTS);
                let halves = part * of_part..(part + 1) * of_part;
                multiplied = Multiplied { panel, halves, next, end: rows.min(next + K::ROWS) };
                std::mem::swap(&mut now, &mut before);
            }
        }
    }
    // SAFETY: as promised by the caller.
    unsafe { finisher.finish_rows(&mut multiplied, before, K::ROWS) };
}

/// Multiplies a tile and a part of a panel, step by step, and calls `between` after each.
///
/// # Safety
/// As [`multiply`], after [`tiles::configure`].
#[inline(always)]
unsafe fn tile_by_part<K: Kernel>(
    tile: &[K::Element],
    part: &[K::Element],
    sums: &mut Sums<K::Sum>,
    between: &mut impl FnMut(),
) {
    let a = tile.chunks_exact(K::ROWS * K::STEP * K::TERMS);
    let b = part.chunks_exact(COLUMNS / K::PARTS * K::STEP * K::WEIGHT_TERMS);
    // SAFETY: as promised by the caller; whole steps are taken.
    unsafe {
        tiles::zero();
        for (a, b) in a.zip(b) {
            K::step(a, b);
            between();
        }
        tiles::store(sums);
    }
}
