//! The number format that a network computes in.

mod parse;

use std::fmt;

use candle_core::DType;

/// The number format of weights and activations while computing; embeddings are always f32.
///
/// On CPU there is [`Precision::F32`], and [`Precision::Bf16`] where the CPU has instructions for it;
/// otherwise it is refused instead of pretended, as [`Precision::F16`] is everywhere on CPU.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Precision {
    /// IEEE single precision.
    #[default]
    F32,
    /// IEEE half precision.
    F16,
    /// bfloat16.
    Bf16,
}

impl Precision {
    /// The precision of the CPU kernels; `None` for f16, which no kernel computes in.
    pub(crate) fn on_cpu(self) -> Option<vnp_kernels::Precision> {
        match self {
            Self::F32 => Some(vnp_kernels::Precision::F32),
            Self::Bf16 => Some(vnp_kernels::Precision::Bf16),
            Self::F16 => None,
        }
    }

    /// The number format of candle's tensors.
    pub(crate) fn dtype(self) -> DType {
        match self {
            Self::F32 => DType::F32,
            Self::F16 => DType::F16,
            Self::Bf16 => DType::BF16,
        }
    }
}

impl fmt::Display for Precision {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
        })
    }
}
