//! Products on AMX tiles.
//!
//! A kernel here multiplies a tile of rows and a panel of 32 columns, over one block of inputs, in
//! the tile registers. These are configured once for a whole product, and only the kernels use them
//! until they are released: the compiler never does. The epilogue of one tile runs in vector registers
//! between the steps of the next tile's product: both kinds of instructions have execution units of
//! their own.
//!
//! * [`bf16`]: one tile product of bf16 for each product of the matrices.
//! * [`digits`]: f32, as exact integers.

pub(super) mod bf16;
pub(super) mod digits;
mod finish;
pub(super) mod kernel;
mod multiply;
pub(super) mod panels;
mod tiles;
