//! Kernels in AVX-512 and AMX.
//!
//! Each function here is compiled for instructions that the CPU may not have: it is called only
//! for a [`Level`](crate::cpu::Level) that [`detect`] found.

pub(crate) mod amx;
pub(crate) mod attend;
pub(crate) mod bf16;
pub(crate) mod detect;
pub(crate) mod finish;
pub(crate) mod fma;
pub(crate) mod lanes;
pub(crate) mod multiply;
pub(crate) mod norm;
pub(crate) mod transpose;
