//! What this CPU can do.

/// The instructions that kernels use. Results are equal bit for bit within one value on one
/// machine type, and within rounding across values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cpu(Level);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Level {
    /// Whatever the `gemm` and `pulp` crates find.
    Portable,
    /// AVX-512 F, BW, DQ and VL.
    #[cfg(target_arch = "x86_64")]
    Avx512,
    /// The same with `VDPBF16PS`.
    #[cfg(target_arch = "x86_64")]
    Avx512Bf16,
    /// The same with `VPDPWSSD`.
    #[cfg(target_arch = "x86_64")]
    Avx512Vnni,
    /// The same with AMX tiles of bf16 and of 8-bit integers.
    #[cfg(target_arch = "x86_64")]
    Amx,
}

/// The number format of weights and of what they are multiplied by; sums, biases, norms and
/// attention are f32 in either case.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// IEEE single precision, or as exact: on AMX rows and columns are fixed-point numbers of 31 and
    /// 24 bits, multiplied by digits as integers, without the rounding of sums in f32.
    F32,
    /// bfloat16, of 8 bits of significand, or numbers as small that are no less exact: on
    /// AVX-512 VNNI fixed-point ones of 16 bits.
    Bf16,
}

impl Cpu {
    /// The best that this machine has. On Linux this asks the kernel once for the use of AMX.
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// Everything that this machine has, best first; the portable one is last and always there.
    pub fn available() -> Vec<Self> {
        let mut found = Vec::new();
        #[cfg(target_arch = "x86_64")]
        found.extend(crate::x86::detect::levels().into_iter().map(Self));
        found.push(Self::portable());
        found
    }

    /// No instructions in particular.
    pub fn portable() -> Self {
        Self(Level::Portable)
    }

    /// Its name in records of a run: `amx`, `avx512+bf16`, `avx512+vnni`, `avx512`, `avx2+fma` or
    /// an architecture.
    pub fn name(self) -> &'static str {
        match self.0 {
            #[cfg(target_arch = "x86_64")]
            Level::Amx => "amx",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Bf16 => "avx512+bf16",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512Vnni => "avx512+vnni",
            #[cfg(target_arch = "x86_64")]
            Level::Avx512 => "avx512",
            Level::Portable => {
                #[cfg(target_arch = "x86_64")]
                if std::arch::is_x86_feature_detected!("fma") {
                    return "avx2+fma";
                }
                std::env::consts::ARCH
            }
        }
    }

    /// Whether layers can be computed in a precision.
    pub fn has(self, precision: Precision) -> bool {
        match precision {
            Precision::F32 => true,
            #[cfg(target_arch = "x86_64")]
            Precision::Bf16 => !matches!(self.0, Level::Portable | Level::Avx512),
            #[cfg(not(target_arch = "x86_64"))]
            Precision::Bf16 => false,
        }
    }

    /// Whether rows of a linear layer are the same bits whatever the number of rows.
    pub fn rows_are_independent(self) -> bool {
        self.0 != Level::Portable
    }

    pub(crate) fn level(self) -> Level {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_portable_one_is_last_and_bf16_needs_instructions() {
        let all = Cpu::available();
        assert_eq!(all.last(), Some(&Cpu::portable()));
        assert_eq!(all.first(), Some(&Cpu::detect()));
        assert!(!Cpu::portable().has(Precision::Bf16));
        assert!(all.iter().all(|cpu| cpu.has(Precision::F32)));
    }
}
