//! Packed weights for the kernels on AMX tiles.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![expect(clippy::indexing_slicing, reason = "`new` makes room for every panel and block")]

use std::ops::Range;

use super::kernel::Kernel;
use crate::buffer::Buffer;
use crate::x86::layout::PanelLayout;
use crate::x86::tile::COLUMNS;

/// The most inputs of a block: rows and weights of as many are in the second-level cache together.
/// The sums of [`digits`](super::digits) have room for 43,000.
const BLOCK: usize = 1280;

/// Weights in the order in which they are read: blocks of inputs, then panels.
pub(crate) struct Panels<K: Kernel> {
    values: Buffer<K::Element>,
    /// One per column of every panel of every block.
    scales: Buffer<f32>,
    pub(super) layout: PanelLayout,
    pub(super) inputs: usize,
}

/// A range of inputs, of all rows or panels.
#[derive(Clone, Copy)]
pub(super) struct Block {
    pub(super) index: usize,
    /// The first input.
    pub(super) start: usize,
    pub(super) inputs: usize,
    /// The number of inputs with padding.
    pub(super) padded: usize,
    pub(super) is_last: bool,
}

impl<K: Kernel> Panels<K> {
    /// Weights of zero.
    ///
    /// # Safety
    /// The CPU has AMX with BF16 and INT8, and AVX-512 F, BW, DQ and BF16.
    pub(crate) unsafe fn new(layout: PanelLayout, inputs: usize) -> Self {
        let (values, scales) = (Buffer::default(), Buffer::default());
        let mut new = Self { values, scales, layout, inputs };
        let padded: usize = new.blocks().map(|block| block.padded).sum();
        new.values = Buffer::zeroed(layout.columns() * padded * K::WEIGHT_TERMS);
        new.scales = Buffer::zeroed(layout.columns() * new.blocks().count());
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

    fn range(&self, block: Block, panel: usize) -> Range<usize> {
        let of_an_input = COLUMNS * K::WEIGHT_TERMS;
        let first = (block.start * self.layout.panels + block.padded * panel) * of_an_input;
        first..first + block.padded * of_an_input
    }

    /// The weights of a panel and block, and all that follow in the order of reading.
    pub(super) fn panel(&self, block: Block, panel: usize) -> (&[K::Element], &[K::Element]) {
        let range = self.range(block, panel);
        self.values.get()[range.start..].split_at(range.len())
    }

    /// The scales of a panel's columns.
    pub(super) fn scales(&self, block: Block, panel: usize) -> &[f32] {
        let first = (block.index * self.layout.panels + panel) * COLUMNS;
        &self.scales.get()[first..first + COLUMNS]
    }

    /// Packs the weights of a column.
    pub(super) fn pack(&mut self, column: usize, weights: &[f32]) {
        for block in self.blocks() {
            let range = self.range(block, column / COLUMNS);
            let panel = &mut self.values.get_mut()[range];
            let weights = &weights[block.start..block.start + block.inputs];
            // SAFETY: as promised to `new`.
            let scale = unsafe { K::pack_column(weights, column % COLUMNS, panel) };
            self.scales.get_mut()[block.index * self.layout.columns() + column] = scale;
        }
    }
}
