//! The types of elements.

use std::fmt;
use std::str::FromStr;

use vnp_escape::shown;

/// The type of a tensor's elements. Later minor versions of the format may add some.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Dtype {
    /// 32-bit IEEE floats.
    F32,
    /// 16-bit IEEE floats.
    F16,
    /// 16-bit floats with the exponent of 32-bit ones.
    Bf16,
    /// 64-bit IEEE floats.
    F64,
    /// 64-bit signed integers.
    I64,
    /// 32-bit signed integers.
    I32,
    /// 16-bit signed integers.
    I16,
    /// 8-bit signed integers.
    I8,
    /// Bytes.
    U8,
    /// Booleans, a byte each: 0 or 1.
    Bool,
}

impl Dtype {
    /// Every type of this version of the format.
    pub const ALL: [Self; 10] = [
        Self::F32,
        Self::F16,
        Self::Bf16,
        Self::F64,
        Self::I64,
        Self::I32,
        Self::I16,
        Self::I8,
        Self::U8,
        Self::Bool,
    ];

    /// Size of one element, in bytes.
    #[must_use]
    pub const fn size_bytes(self) -> usize {
        match self {
            Self::F64 | Self::I64 => 8,
            Self::F32 | Self::I32 => 4,
            Self::F16 | Self::Bf16 | Self::I16 => 2,
            Self::I8 | Self::U8 | Self::Bool => 1,
        }
    }

    /// The index of the first NaN or infinity among elements of this type, little-endian, counted
    /// in elements; `None` when all are finite, as integers and booleans always are.
    #[must_use]
    pub fn first_non_finite(self, bytes: &[u8]) -> Option<usize> {
        // The exponents whose bits are all set.
        match self {
            Self::F32 => find(bytes, |b| u32::from_le_bytes(b) & 0x7f80_0000 == 0x7f80_0000),
            Self::F16 => find(bytes, |b| u16::from_le_bytes(b) & 0x7c00 == 0x7c00),
            Self::Bf16 => find(bytes, |b| u16::from_le_bytes(b) & 0x7f80 == 0x7f80),
            Self::F64 => find(bytes, |b| u64::from_le_bytes(b) & (0x7ff << 52) == 0x7ff << 52),
            _ => None,
        }
    }

    /// The name in headers and messages: `f32`, `f16`, `bf16`, `f64`, `i64`, `i32`, `i16`, `i8`,
    /// `u8`, `bool`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Bf16 => "bf16",
            Self::F64 => "f64",
            Self::I64 => "i64",
            Self::I32 => "i32",
            Self::I16 => "i16",
            Self::I8 => "i8",
            Self::U8 => "u8",
            Self::Bool => "bool",
        }
    }
}

/// The index of the first element for which `is` holds. Many are inspected together, for it
/// hardly ever does.
fn find<const N: usize>(bytes: &[u8], is: impl Fn([u8; N]) -> bool) -> Option<usize> {
    const TOGETHER: usize = 1024;
    let (elements, _) = bytes.as_chunks::<N>();
    let group = elements
        .chunks(TOGETHER)
        .position(|group| group.iter().fold(false, |any, &element| any | is(element)))?;
    let start = group * TOGETHER;
    let within = elements.get(start..)?.iter().position(|&element| is(element))?;
    Some(start + within)
}

impl fmt::Display for Dtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Dtype {
    type Err = UnknownDtype;

    fn from_str(name: &str) -> Result<Self, UnknownDtype> {
        Self::ALL
            .into_iter()
            .find(|dtype| dtype.name() == name)
            .ok_or_else(|| UnknownDtype(name.to_owned()))
    }
}

/// A name that is no [`Dtype`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{}` is no element type: expected f32, f16, bf16, f64, i64, i32, i16, i8, u8 or bool", shown(.0)
)]
pub struct UnknownDtype(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_finite() {
        let mut values = vec![f32::MAX; 5000];
        let bytes =
            |values: &[f32]| values.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<_>>();
        assert_eq!(Dtype::F32.first_non_finite(&bytes(&values)), None);
        for (place, value) in [(4999, f32::NAN), (1024, f32::INFINITY), (0, f32::NEG_INFINITY)] {
            values[place] = value;
            assert_eq!(Dtype::F32.first_non_finite(&bytes(&values)), Some(place));
        }
        assert_eq!(Dtype::F64.first_non_finite(&f64::MAX.to_le_bytes()), None);
        assert_eq!(Dtype::F64.first_non_finite(&f64::NAN.to_le_bytes()), Some(0));
        for (dtype, largest, infinity) in
            [(Dtype::F16, 0x7bff, 0x7c00), (Dtype::Bf16, 0x7f7f, 0xff80)]
        {
            let pair = |second: u16| [u16::to_le_bytes(largest), second.to_le_bytes()].concat();
            assert_eq!(dtype.first_non_finite(&pair(largest)), None);
            assert_eq!(dtype.first_non_finite(&pair(infinity)), Some(1));
        }
        assert_eq!(Dtype::I64.first_non_finite(&[0xff; 8]), None);
    }

    #[test]
    fn names_read_back() {
        for dtype in Dtype::ALL {
            assert_eq!(dtype.to_string().parse(), Ok(dtype));
        }
        assert_eq!("F32".parse::<Dtype>(), Err(UnknownDtype("F32".into())));
    }
}
