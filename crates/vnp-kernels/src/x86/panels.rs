//! Packed weights for the kernels in vector registers.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use std::marker::PhantomData;

use super::finish::Target;
use super::lanes::{LANES, store};
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
        for block in self.blocks() {
            let place = self.place(panel, block);
            let (Some(place), Some(weights)) = (
                self.values.get_mut().get_mut(place),
                weights.get(block.start..block.start + block.inputs),
            ) else {
                return;
            };
            // SAFETY: as promised by the caller; every kernel's CPU has AVX-512.
            unsafe { set::<M>(weights, column, place) };
        }
    }

    unsafe fn multiply(&self, x: &[f32], target: &mut Target<'_>, scratch: &mut Scratch) {
        // SAFETY: as promised by the caller.
        unsafe { multiply::multiply(self, x, target, scratch) }
    }
}

/// Packs the weights of a column and a block.
///
/// # Safety
/// The CPU has the kernel's instructions.
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl")]
unsafe fn set<M: Micro>(weights: &[f32], column: usize, panel: &mut [u32]) {
    // SAFETY: as promised by the caller, here and below.
    let scaling = unsafe { M::scaling(weights) };
    let mut places = panel.iter_mut().skip(column).step_by(COLUMNS);
    if M::SCALED
        && let Some(place) = places.next()
    {
        *place = scaling.scale.to_bits();
    }
    for weights in weights.chunks(M::OF_A_WORD * LANES) {
        let mut words = [0; LANES];
        // SAFETY: see above.
        store(&mut words, unsafe { M::vector(weights, &scaling) });
        for (word, place) in words.iter().zip(places.by_ref()) {
            *place = *word;
        }
    }
}
