//! Finishing the product of a tile: scales, earlier blocks, bias and epilogue.
#![allow(unsafe_code, reason = "compiled for instructions that `Cpu` has found")]
#![expect(
    clippy::indexing_slicing,
    reason = "rows are those of the packed group, and panels those of the weights"
)]

use std::arch::x86_64::{_mm512_add_ps, _mm512_mul_ps, _mm512_set1_ps};
use std::ops::Range;

use super::kernel::Kernel;
use super::panels::{Block, Panels};
use super::tiles::Sums;
use crate::epilogue::{Destination, Step};
use crate::x86::epilogue::results;
use crate::x86::lanes::{LANES, load, store};
use crate::x86::tile::COLUMNS;

/// The destination of the sums of packed rows and a block.
pub(super) struct Finisher<'a, 't, K: Kernel> {
    pub(super) weights: &'a Panels<K>,
    pub(super) block: Block,
    /// The index of the first packed row among all rows.
    pub(super) first_row: usize,
    /// One per packed row.
    pub(super) scales: &'a [f32],
    /// Sums that wait for the next block, and gates that wait for their values: `[panels, 2, rows, 16]`.
    pub(super) waiting: &'a mut [f32],
    pub(super) destination: &'a mut Destination<'t>,
}

/// A tile that was multiplied.
#[derive(Default)]
pub(super) struct Multiplied {
    pub(super) panel: usize,
    /// The halves of the panel's columns in the tile.
    pub(super) halves: Range<usize>,
    /// The packed row to be finished next, and the end of the tile's rows.
    pub(super) next: usize,
    pub(super) end: usize,
}

impl<K: Kernel> Finisher<'_, '_, K> {
    /// Finishes at most `count` rows of a tile.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    pub(super) unsafe fn finish_rows(
        &mut self,
        tile: &mut Multiplied,
        sums: &Sums<K::Sum>,
        count: usize,
    ) {
        let rows = tile.next..tile.end.min(tile.next + count);
        if rows.is_empty() {
            return;
        }
        tile.next = rows.end;
        for half in tile.halves.clone() {
            // SAFETY: as promised by the caller.
            unsafe { self.finish_half(rows.clone(), tile.panel, half, sums) };
        }
    }

    /// Finishes half of the columns of some rows.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    unsafe fn finish_half(
        &mut self,
        rows: Range<usize>,
        panel: usize,
        half: usize,
        sums: &Sums<K::Sum>,
    ) {
        let Block { is_last, index, .. } = self.block;
        let Destination { output, width, bias, step } = &mut *self.destination;
        let (width, step) = (*width, *step);
        // The first column of the results; none if the sums wait for another block, or for their values.
        let first = match step {
            _ if !is_last => None,
            Step::Glu if half == 0 => None,
            Step::Glu => Some(panel * LANES),
            Step::Store | Step::Gelu | Step::Add => Some(panel * COLUMNS + half * LANES),
        };
        let waits = first.is_none();
        // The second half of the last panel may be padding only.
        let first = first.unwrap_or_default().min(width);
        let columns = first..(first + LANES).min(width);
        let of_a_half = self.waiting.len() / (2 * self.weights.layout.panels);
        let (before, waiting) = self.waiting.split_at_mut((2 * panel + half) * of_a_half);
        let gates = before[before.len().saturating_sub(of_a_half)..].as_chunks::<LANES>().0;
        let waiting = waiting.as_chunks_mut::<LANES>().0[rows.clone()].iter_mut();
        let outputs = output[(self.first_row + rows.start) * width..].chunks_mut(width);
        let outputs = waiting.zip(outputs).zip(&self.scales[rows.clone()]);
        let column_scales = &self.weights.scales(self.block, panel)[half * LANES..];
        let bias = &bias[panel * COLUMNS + half * LANES..];
        // SAFETY: as promised by the caller.
        unsafe {
            let (column_scales, bias) = (load(column_scales), load(bias));
            for (row, ((waiting, output), scale)) in rows.zip(outputs) {
                let mut x = K::row(sums, row % K::ROWS, half);
                if K::SCALED {
                    // The product of both scales may be below the numbers of f32.
                    x = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(*scale)), column_scales);
                }
                if index > 0 {
                    x = _mm512_add_ps(load(waiting), x);
                }
                if is_last {
                    x = _mm512_add_ps(x, bias);
                }
                if waits {
                    store(waiting, x);
                    continue;
                }
                let gates = if step == Step::Glu { load(&gates[row]) } else { x };
                let output = &mut output[columns.clone()];
                store(output, results(step, x, gates, output));
            }
        }
    }
}
