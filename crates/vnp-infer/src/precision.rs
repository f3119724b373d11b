//! The number format that a network computes in.

use std::fmt;
use std::str::FromStr;

use candle_core::DType;

use crate::Error;

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
    /// The precision of CPU kernels; there is none for f16.
    pub(crate) fn on_cpu(self) -> Option<vnp_kernels::Precision> {
        match self {
            Self::F32 => Some(vnp_kernels::Precision::F32),
            Self::Bf16 => Some(vnp_kernels::Precision::Bf16),
            Self::F16 => None,
        }
    }

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

impl FromStr for Precision {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        match text {
            "f32" => Ok(Self::F32),
            "f16" => Ok(Self::F16),
            "bf16" => Ok(Self::Bf16),
            _ => Err(Error::UnknownPrecision { text: text.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_round_trips() {
        for precision in [Precision::F32, Precision::F16, Precision::Bf16] {
            assert_eq!(precision.to_string().parse::<Precision>().unwrap(), precision);
        }
    }

    #[test]
    fn other_text_is_refused() {
        let Err(Error::UnknownPrecision { text }) = "fp8".parse::<Precision>() else { panic!() };
        assert_eq!(text, "fp8");
    }
}
