//! Packed weights for the kernels in vector registers.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use std::marker::PhantomData;

use super::finish::Target;
use super::multiply::{self, COLUMNS, Micro, Packed};
use crate::buffer::Buffer;
use crate::linear::Scratch;

/// Panels that share a pass over the rows' blocks of inputs.
pub(super) const PANELS_AT_A_TIME: usize = 8;

/// Weights in the order in which a kernel reads them: panels, then blocks of inputs.
pub(crate) struct Panels<M: Micro> {
    values: Buffer<u32>,
    panels: usize,
    pub(super) inputs: usize,
    kernel: PhantomData<M>,
}

/// Some inputs.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// The first of them.
    pub(super) start: usize,
    pub(super) inputs: usize,
    /// Words of a row or column before those of this block.
    pub(super) before: usize,
    pub(super) words: usize,
    pub(super) is_last: bool,
}

impl<M: Micro> Panels<M> {
    pub(crate) fn new(panels: usize, inputs: usize) -> Self {
        let kernel = PhantomData;
        let mut new = Self { values: Buffer::default(), panels, inputs, kernel };
        new.values = Buffer::zeroed(panels * new.words() * COLUMNS);
        new
    }

    /// Words of a row or column.
    pub(super) fn words(&self) -> usize {
        self.blocks().last().map_or(0, |block| block.before + block.words)
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + use<M> {
        let all = self.inputs;
        (0..all).step_by(M::BLOCK).enumerate().map(move |(index, start)| {
            let inputs = M::BLOCK.min(all - start);
            let (before, words) = (index * M::words(M::BLOCK), M::words(inputs));
            Block { start, inputs, before, words, is_last: start + inputs == all }
        })
    }

    /// Where a panel's weights of a block are.
    fn place(&self, panel: usize, block: Block) -> std::ops::Range<usize> {
        let first = (panel * self.words() + block.before) * COLUMNS;
        first..first + block.words * COLUMNS
    }

    /// A panel's weights of a block.
    pub(super) fn of(&self, panel: usize, block: Block) -> &[u32] {
        self.values.get().get(self.place(panel, block)).unwrap_or_default()
    }

    /// Panels and blocks in the order in which rows pass them: for some panels together, by inputs.
    pub(super) fn order(&self) -> impl Iterator<Item = (usize, Block)> + use<'_, M> {
        (0..self.panels).step_by(PANELS_AT_A_TIME).flat_map(move |first| {
            self.blocks().flat_map(move |block| {
                let panels = first..self.panels.min(first + PANELS_AT_A_TIME);
                panels.map(move |panel| (panel, block))
            })
        })
    }
}

impl<M: Micro> Packed for Panels<M> {
    unsafe fn set(&mut self, panel: usize, column: usize, weights: &[f32]) {
        let mut words = vec![0; M::words(M::BLOCK)];
        for block in self.blocks() {
            let place = self.place(panel, block);
            let (Some(place), Some(words), Some(weights)) = (
                self.values.get_mut().get_mut(place),
                words.get_mut(..block.words),
                weights.get(block.start..block.start + block.inputs),
            ) else {
                return;
            };
            // SAFETY: as promised by the caller.
            unsafe { M::convert(weights, words) };
            for (place, word) in place.iter_mut().skip(column).step_by(COLUMNS).zip(words) {
                *place = *word;
            }
        }
    }

    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch) {
        // SAFETY: as promised by the caller.
        unsafe { multiply::multiply(self, x, target, scratch) }
    }
}
