//! What follows the product of a tile.
#![allow(unsafe_code, reason = "compiled for instructions that `Cpu` has found")]

use std::arch::x86_64::{_mm512_add_ps, _mm512_mul_ps, _mm512_set1_ps};
use std::ops::Range;

use super::panels::{Block, Panels};
use super::tiles::Sums;
use super::{COLUMNS, Kernel};
use crate::linear::Form;
use crate::x86::finish::Target;
use crate::x86::lanes::{LANES, load, store};

/// Where sums of packed rows and a block go.
pub(super) struct Finisher<'a, 't, K: Kernel> {
    pub(super) weights: &'a Panels<K>,
    pub(super) block: Block,
    /// The first packed row's among all.
    pub(super) first_row: usize,
    /// One a packed row.
    pub(super) scales: &'a [f32],
    /// Sums that wait for the next block, and gates for what they are a gate of: `[panels, 2,
    /// rows, 16]`.
    pub(super) waiting: &'a mut [f32],
    pub(super) target: &'a mut Target<'t>,
}

/// A tile that was multiplied.
#[derive(Default)]
pub(super) struct Multiplied {
    pub(super) panel: usize,
    /// Which halves of the panel's columns it holds.
    pub(super) halves: Range<usize>,
    /// The packed row to be finished next, and that behind its last.
    pub(super) next: usize,
    pub(super) end: usize,
}

impl<K: Kernel> Finisher<'_, '_, K> {
    /// Finishes at most `count` rows of a tile.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    pub(super) unsafe fn some(&mut self, tile: &mut Multiplied, sums: &Sums<K::Sum>, count: usize) {
        let rows = tile.next..tile.end.min(tile.next + count);
        if rows.is_empty() {
            return;
        }
        tile.next = rows.end;
        for half in tile.halves.clone() {
            // SAFETY: as promised by the caller.
            unsafe { self.half(rows.clone(), tile.panel, half, sums) };
        }
    }

    /// Finishes half of the columns of some rows.
    ///
    /// # Safety
    /// The CPU has AVX-512 F.
    #[inline(always)]
    unsafe fn half(&mut self, rows: Range<usize>, panel: usize, half: usize, sums: &Sums<K::Sum>) {
        let Block { is_last, index, .. } = self.block;
        let form = self.target.form;
        let columns = match form {
            _ if !is_last => None,
            Form::Gated if half == 0 => None,
            Form::Gated => Some(panel * LANES),
            Form::Plain => Some(panel * COLUMNS + half * LANES),
        };
        let end = self.target.end();
        let Target { output, width, bias, .. } = &mut *self.target;
        let first = columns.unwrap_or_default().min(*width);
        let columns_there = first..(first + LANES).min(*width);
        let of_a_half = self.waiting.len() / (2 * self.weights.panels).max(1);
        let (before, waiting) = self.waiting.split_at_mut((2 * panel + half) * of_a_half);
        let gates = before.get(before.len().saturating_sub(of_a_half)..).unwrap_or_default();
        let gates = gates.as_chunks::<LANES>().0;
        let waiting = waiting.as_chunks_mut::<LANES>().0.get_mut(rows.clone()).unwrap_or_default();
        let scales = self.scales.get(rows.clone()).unwrap_or_default();
        let outputs = output.get_mut((self.first_row + rows.start) * *width..);
        let outputs = outputs.unwrap_or_default().chunks_mut(*width);
        let of_columns = self.weights.scales(self.block, panel).get(half * LANES..);
        let bias = bias.get(panel * COLUMNS + half * LANES..).unwrap_or_default();
        // SAFETY: as promised by the caller.
        unsafe {
            let (of_columns, bias) = (load(of_columns.unwrap_or_default()), load(bias));
            let places = waiting.iter_mut().zip(outputs).zip(scales);
            for (row, ((waiting, output), scale)) in rows.zip(places) {
                let mut x = K::row(sums, row % K::ROWS, half);
                if K::SCALED {
                    // Both scales together may be less than f32 has.
                    x = _mm512_mul_ps(_mm512_mul_ps(x, _mm512_set1_ps(*scale)), of_columns);
                }
                if index > 0 {
                    x = _mm512_add_ps(load(waiting), x);
                }
                if is_last {
                    x = _mm512_add_ps(x, bias);
                }
                if columns.is_none() {
                    store(waiting, x);
                    continue;
                }
                let gates = match form {
                    Form::Gated => load(gates.get(row).map_or(&[][..], |gates| gates)),
                    Form::Plain => x,
                };
                end.put(x, gates, output.get_mut(columns_there.clone()).unwrap_or_default());
            }
        }
    }
}
