//! Detecting the instructions of this machine.

use crate::cpu::Cpu;
use crate::level::Level;
use crate::native;

impl Cpu {
    /// The best instructions of this machine. On Linux this requests the use of AMX once.
    pub fn detect() -> Self {
        Self::available().first().copied().unwrap_or(Self::portable())
    }

    /// All instructions of this machine, best first; the last is always [`Cpu::portable`].
    pub fn available() -> Vec<Self> {
        native::levels().into_iter().map(Self).chain([Self::portable()]).collect()
    }

    /// The name in records of a run: `amx`, `avx512+bf16`, `avx512+vnni`, `avx512`, `avx2+fma` or
    /// an architecture.
    pub fn name(self) -> &'static str {
        match self.0 {
            Level::Amx => "amx",
            Level::Avx512Bf16 => "avx512+bf16",
            Level::Avx512Vnni => "avx512+vnni",
            Level::Avx512 => "avx512",
            Level::Portable => native::portable_name(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Precision;

    #[test]
    fn the_portable_level_is_last_and_bf16_needs_instructions() {
        let all = Cpu::available();
        assert_eq!(all.last(), Some(&Cpu::portable()));
        assert_eq!(all.first(), Some(&Cpu::detect()));
        assert!(!Cpu::portable().has(Precision::Bf16));
        assert!(all.iter().all(|cpu| cpu.has(Precision::F32)));
    }
}
