//! Reading a precision from text, such as a command line.

use std::str::FromStr;

use super::Precision;
use crate::error::Error;

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
