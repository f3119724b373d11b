//! The instruction sets that there are kernels for.

/// An instruction set. Only `Cpu` makes a level, and only for instructions that it detected: kernels
/// are compiled for the instructions of a level and called on the strength of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(not(target_arch = "x86_64"), allow(dead_code, reason = "levels of x86-64"))]
pub(crate) enum Level {
    /// The instructions that the `gemm` and `pulp` crates find.
    Portable,
    /// AVX-512 F, BW, DQ and VL.
    Avx512,
    /// AVX-512 with `VDPBF16PS`.
    Avx512Bf16,
    /// AVX-512 with `VPDPWSSD`.
    Avx512Vnni,
    /// AVX-512 with `VDPBF16PS`, and AMX tiles of bf16 and of 8-bit integers.
    Amx,
}

impl Level {
    /// Whether there are kernels of 16-bit weights.
    pub(crate) fn has_bf16(self) -> bool {
        matches!(self, Self::Avx512Bf16 | Self::Avx512Vnni | Self::Amx)
    }
}
