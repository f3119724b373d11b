//! The choice of instructions, and the number formats that they support.

use crate::level::Level;

/// The instructions that kernels use. Results are equal bit for bit within one value on one
/// machine type, and within rounding across values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cpu(pub(crate) Level);

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
    /// No instructions in particular.
    pub fn portable() -> Self {
        Self(Level::Portable)
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
