//! The trait of kernels that multiply one tile in vector registers.
#![allow(unsafe_code, reason = "kernels are compiled for instructions that `Cpu` has found")]

use std::arch::x86_64::__m512;

use super::lanes::LANES;
use super::tile::{COLUMNS, ROWS};

/// A kernel of one tile.
///
/// Packed operands are words of 32 bits: a kernel packs the inputs of a row in the same way as the
/// weights of a column. Both are stored word by word: one word of each of the 12 rows of a tile, or of
/// the 32 columns of a panel, then the next.
pub(crate) trait Micro: Send + Sync + 'static {
    /// Inputs of a block.
    const BLOCK: usize;
    /// Inputs in a word.
    const OF_A_WORD: usize;
    /// Whether a word with the scale precedes those of the inputs.
    const SCALED: bool;

    /// Words of some inputs of a row, or weights of a column: whole vectors, and the scale.
    fn words(inputs: usize) -> usize {
        usize::from(Self::SCALED) + inputs.div_ceil(Self::OF_A_WORD * LANES) * LANES
    }

    /// The scaling that turns these inputs or weights into words.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn scaling(_: &[f32]) -> Scaling {
        Scaling::default()
    }

    /// The words of as many values as fit into a vector; missing values count as zeros.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn vector(values: &[f32], scaling: &Scaling) -> __m512;

    /// Sets `sums` to the product of a tile and a block, or adds it. Calls `between` repeatedly.
    ///
    /// # Safety
    /// The CPU has the kernel's instructions.
    unsafe fn run(
        tile: &[u32],
        block: &[u32],
        sums: &mut [f32; ROWS * COLUMNS],
        first: bool,
        between: &mut impl FnMut(),
    );
}

/// The scaling of values to fixed-point numbers.
#[derive(Clone, Copy, Default)]
pub(crate) struct Scaling {
    /// The value of the integer 1.
    pub(super) scale: f32,
    /// Values are multiplied by these in turn: a single factor may be beyond f32.
    pub(super) factors: [f32; 2],
}
