//! The buffers that linear layers share.

use crate::buffer::Buffer;

/// Buffers that linear layers share; one per thread.
#[derive(Debug, Default)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "buffers of x86-64's kernels"))]
pub struct Scratch {
    /// Gates and values of a gated unit, before its epilogue.
    pub(crate) wide: Vec<f32>,
    /// Packed rows of kernels in vector registers.
    pub(crate) words: Buffer<u32>,
    /// Packed rows of bf16 on AMX.
    pub(crate) terms: Buffer<u16>,
    /// Packed rows of f32 on AMX.
    pub(crate) digits: Buffer<i8>,
    /// Scales of packed rows.
    pub(crate) scales: Buffer<f32>,
    /// Sums that wait for the next block of inputs.
    pub(crate) sums: Buffer<f32>,
}
