//! The kernels for the instructions of one architecture: AVX-512 and AMX on x86-64, none elsewhere.

#[cfg(not(target_arch = "x86_64"))]
mod none;

#[cfg(not(target_arch = "x86_64"))]
pub(crate) use none::{attend, layer_norm, levels, portable_name, weights};

#[cfg(target_arch = "x86_64")]
pub(crate) use crate::x86::{attend, layer_norm, levels, portable_name, weights};
