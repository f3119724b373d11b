//! Detecting what this CPU can do.

use crate::level::Level;

/// The instructions that kernels use. Results are equal bit for bit within one value on one
/// machine type, and within rounding across values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cpu(Level);

/// The number format of weights and of their inputs; sums, biases, norms and attention are always
/// f32.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Precision {
    /// IEEE single precision, or an equally exact format: on AMX rows and columns are fixed-point
    /// numbers of 31 and 24 bits, multiplied digit by digit as integers, without the rounding of sums
    /// in f32.
    F32,
    /// bfloat16, which has 8 bits of significand, or a format of 16 bits that is no less exact: on
    /// AVX-512 VNNI fixed-point numbers.
    Bf16,
}

impl Cpu {
    /// The best instructions of this machine. On Linux this requests the use of AMX once.
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// All instructions of this machine, best first; the last is always [`Cpu::portable`].
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

    /// The name in records of a run: `amx`, `avx512+bf16`, `avx512+vnni`, `avx512`, `avx2+fma` or
    /// an architecture.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Amx => "amx",
            Level::Avx512Bf16 => "avx512+bf16",
            Level::Avx512Vnni => "avx512+vnni",
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

    /// Whether there are layers of this precision.
    pub fn has(self, precision: Precision) -> bool {
        precision == Precision::F32 || self.0.has_bf16()
    }

    /// Whether a row of a linear layer has the same bits whatever the number of rows.
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
