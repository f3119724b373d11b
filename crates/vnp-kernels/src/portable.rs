//! Kernels for any CPU: matrix products by the `gemm` crate, and code that the compiler vectorises for
//! the instructions that `pulp` finds.
//!
//! Outside of `gemm`, sums are taken in 16 lanes that are folded in one order, and no multiply-add is
//! fused, so that every instruction set gives the same bits.

pub(crate) mod attend;
pub(crate) mod elementwise;
pub(crate) mod linear;
pub(crate) mod matmul;
pub(crate) mod rows;
