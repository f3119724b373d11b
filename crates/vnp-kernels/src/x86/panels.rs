//! Packed weights for the kernels in vector registers.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]
#![expect(clippy::indexing_slicing, reason = "`new` makes room for every panel and block")]

use std::marker::PhantomData;
use std::ops::Range;

use super::lanes::{LANES, store};
use super::layout::PanelLayout;
use super::micro::Micro;
use super::tile::COLUMNS;
use crate::buffer::Buffer;

/// Panels that share a pass over the rows' blocks of inputs.
pub(super) const PANELS_AT_A_TIME: usize = 8;

/// Weights in the order in which a kernel reads them: panels, then blocks of inputs.
pub(crate) struct Panels<M: Micro> {
    values: Buffer<u32>,
    pub(super) layout: PanelLayout,
    pub(super) inputs: usize,
    kernel: PhantomData<M>,
}

/// A range of inputs.
#[derive(Clone, Copy)]
pub(super) struct Block {
    /// The first input.
    pub(super) start: usize,
    pub(super) inputs: usize,
    /// Words of a row or column in earlier blocks.
    pub(super) words_before: usize,
    pub(super) words: usize,
    pub(super) is_last: bool,
}

impl<M: Micro> Panels<M> {
    /// Weights of zero.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    pub(crate) unsafe fn new(layout: PanelLayout, inputs: usize) -> Self {
        let mut new = Self { values: Buffer::default(), layout, inputs, kernel: PhantomData };
        new.values = Buffer::zeroed(layout.panels * new.words() * COLUMNS);
        new
    }

    /// Words of a row or column.
    pub(super) fn words(&self) -> usize {
        self.blocks().last().map_or(0, |block| block.words_before + block.words)
    }

    pub(super) fn blocks(&self) -> impl Iterator<Item = Block> + use<M> {
        let all = self.inputs;
        (0..all).step_by(M::BLOCK).enumerate().map(move |(index, start)| {
            let inputs = M::BLOCK.min(all - start);
            let (words_before, words) = (index * M::words(M::BLOCK), M::words(inputs));
            Block { start, inputs, words_before, words, is_last: start + inputs == all }
        })
    }

    fn range(&self, panel: usize, block: Block) -> Range<usize> {
        let first = (panel * self.words() + block.words_before) * COLUMNS;
        first..first + block.words * COLUMNS
    }

    /// The weights of a panel and block.
    pub(super) fn get(&self, panel: usize, block: Block) -> &[u32] {
        &self.values.get()[self.range(panel, block)]
    }

    /// Panels and blocks in the order in which rows pass them: a group of panels for each block of
    /// inputs, then the next group.
    pub(super) fn order(&self) -> impl Iterator<Item = (usize, Block)> + use<'_, M> {
        let panels = self.layout.panels;
        (0..panels).step_by(PANELS_AT_A_TIME).flat_map(move |first| {
            self.blocks().flat_map(move |block| {
                let group = first..panels.min(first + PANELS_AT_A_TIME);
                group.map(move |panel| (panel, block))
            })
        })
    }

    /// Packs the weights of a column.
    pub(super) fn pack(&mut self, column: usize, weights: &[f32]) {
        for block in self.blocks() {
            let range = self.range(column / COLUMNS, block);
            let panel = &mut self.values.get_mut()[range];
            let weights = &weights[block.start..block.start + block.inputs];
            // SAFETY: as promised to `new`; every kernel's CPU has these parts of AVX-512.
            unsafe { pack_column::<M>(weights, column % COLUMNS, panel) };
        }
    }
}

/// Packs the weights of a column and a block.
///
/// # Safety
/// The CPU has the kernel's instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn pack_column<M: Micro>(weights: &[f32], column: usize, panel: &mut [u32]) {
    // SAFETY: as promised by the caller, here and below.
    let scaling = unsafe { M::scaling(weights) };
    let mut packed = panel.iter_mut().skip(column).step_by(COLUMNS);
    if M::SCALED
        && let Some(word) = packed.next()
    {
        *word = scaling.scale.to_bits();
    }
    for weights in weights.chunks(M::OF_A_WORD * LANES) {
        let mut words = [0; LANES];
        // SAFETY: see above.
        store(&mut words, unsafe { M::vector(weights, &scaling) });
        for (word, packed) in words.iter().zip(packed.by_ref()) {
            *packed = *word;
        }
    }
}
