//! Packed weights.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use super::multiply;
use super::{BLOCK, COLUMNS, Kernel};
use crate::buffer::Buffer;
use crate::linear::Scratch;
use crate::x86::finish::Target;
use crate::x86::multiply::Packed;

/// The weights of a layer in the order in which they are read: blocks of inputs, then panels.
pub(crate) struct Panels<K: Kernel> {
    pub(super) values: Buffer<K::Element>,
    /// One a column of every panel of every block.
    pub(super) scales: Buffer<f32>,
    pub(super) panels: usize,
    pub(super) inputs: usize,
}

/// Some inputs, of all rows or panels.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) index: usize,
    /// The first of them.
    pub(super) start: usize,
    /// How many there are.
    pub(super) inputs: usize,
    /// The same with padding.
    pub(super) padded: usize,
    pub(super) is_last: bool,
}

impl<K: Kernel> Panels<K> {
    pub(crate) fn new(panels: usize, inputs: usize) -> Self {
        let none = Buffer::default();
        let mut new = Self { values: none, scales: Buffer::default(), panels, inputs };
        let padded: usize = new.blocks().map(|block| block.padded).sum();
        new.values = Buffer::zeroed(panels * padded * COLUMNS * K::WEIGHT_TERMS);
        new.scales = Buffer::zeroed(panels * new.blocks().count() * COLUMNS);
        new
    }

    /// Blocks of about equal size.
    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + use<K> {
        let all = self.inputs;
        let size = all.div_ceil(all.div_ceil(BLOCK).max(1)).next_multiple_of(K::STEP).max(1);
        (0..all).step_by(size).enumerate().map(move |(index, start)| {
            let inputs = size.min(all - start);
            let padded = inputs.next_multiple_of(K::STEP);
            Block { index, start, inputs, padded, is_last: start + inputs == all }
        })
    }

    /// Where a panel's weights for a block are.
    fn place(&self, block: Block, panel: usize) -> std::ops::Range<usize> {
        let of_an_input = COLUMNS * K::WEIGHT_TERMS;
        let first = (block.start * self.panels + block.padded * panel) * of_an_input;
        first..first + block.padded * of_an_input
    }

    /// A panel's weights for a block, and all that follow them in the order of reading.
    pub(super) fn panel(&self, block: Block, panel: usize) -> (&[K::Element], &[K::Element]) {
        let place = self.place(block, panel);
        let rest = self.values.get().get(place.start..).unwrap_or_default();
        rest.split_at_checked(place.len()).unwrap_or_default()
    }

    /// The scales of its columns.
    pub(super) fn scales(&self, block: Block, panel: usize) -> &[f32] {
        let first = (block.index * self.panels + panel) * COLUMNS;
        self.scales.get().get(first..first + COLUMNS).unwrap_or_default()
    }
}

impl<K: Kernel> Packed for Panels<K> {
    unsafe fn set(&mut self, panel: usize, column: usize, weights: &[f32]) {
        for block in self.blocks() {
            let place = self.place(block, panel);
            let (Some(place), Some(weights)) = (
                self.values.get_mut().get_mut(place),
                weights.get(block.start..block.start + block.inputs),
            ) else {
                return;
            };
            // SAFETY: as promised by the caller.
            let scale = unsafe { K::pack_column(weights, column, place) };
            let at = (block.index * self.panels + panel) * COLUMNS + column;
            if let Some(place) = self.scales.get_mut().get_mut(at) {
                *place = scale;
            }
        }
    }

    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch) {
        // SAFETY: as promised by the caller.
        unsafe { multiply::multiply(self, x, target, K::buffers(scratch)) }
    }
}
