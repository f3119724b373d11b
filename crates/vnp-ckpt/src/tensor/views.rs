//! Typed views of a tensor's elements.

use half::{bf16, f16};

use super::cast::Plain;
use super::dtype::Dtype;
use super::element::Element;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::tensor::Tensor;

/// One view per type of elements.
macro_rules! views {
    ($($(#[$doc:meta])* $name:ident() -> $element:ty: $dtype:ident;)+) => {
        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`ErrorKind::WrongDtype`](crate::ErrorKind::WrongDtype) when the tensor holds another
                /// type.
                pub fn $name(&self) -> Result<&[$element], Error> {
                    self.view(Dtype::$dtype)
                }
            )+
        }
    };
}

views! {
    /// The 32-bit floats.
    as_f32() -> f32: F32;
    /// The 16-bit floats.
    as_f16() -> f16: F16;
    /// The bfloat16 numbers.
    as_bf16() -> bf16: Bf16;
    /// The 64-bit floats.
    as_f64() -> f64: F64;
    /// The 64-bit integers.
    as_i64() -> i64: I64;
    /// The 32-bit integers.
    as_i32() -> i32: I32;
    /// The 16-bit integers.
    as_i16() -> i16: I16;
    /// The 8-bit integers.
    as_i8() -> i8: I8;
    /// The bytes, of a tensor of bytes.
    as_u8() -> u8: U8;
    /// The booleans as bytes: false is 0, and true is 1 in a file that Python or this crate wrote.
    as_bool_bytes() -> u8: Bool;
}

impl Tensor {
    /// The elements, for a caller who is generic over their type; one who is not finds `as_f32`
    /// and its like shorter.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDtype`] when the tensor holds another type.
    pub fn values<T: Element>(&self) -> Result<&[T], Error> {
        self.view(T::DTYPE)
    }

    /// The elements as 32-bit floats: f32 as they are, f16 and bf16 widened without loss.
    ///
    /// # Errors
    /// [`ErrorKind::WrongDtype`] for the other types, which 32-bit floats cannot all hold or were not
    /// meant as.
    pub fn to_f32_vec(&self) -> Result<Vec<f32>, Error> {
        match self.dtype() {
            Dtype::F16 => Ok(self.as_f16()?.iter().map(|value| value.to_f32()).collect()),
            Dtype::Bf16 => Ok(self.as_bf16()?.iter().map(|value| value.to_f32()).collect()),
            _ => self.as_f32().map(<[f32]>::to_vec),
        }
    }

    /// The index of the first NaN or infinity, counted in elements; `None` when all are finite.
    #[must_use]
    pub fn first_non_finite(&self) -> Option<usize> {
        self.dtype().first_non_finite(self.bytes())
    }

    fn view<T: Plain>(&self, expected: Dtype) -> Result<&[T], Error> {
        if self.dtype() != expected {
            return Err(ErrorKind::WrongDtype { expected, found: self.dtype() }.into());
        }
        Ok(self.data.elements())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_are_typed() {
        let tensor = Tensor::from_i64([1], vec![-1]).unwrap();
        assert_eq!(tensor.as_i64().unwrap(), [-1]);
        let Err(ErrorKind::WrongDtype { expected: Dtype::F32, found: Dtype::I64 }) =
            tensor.as_f32().map_err(Error::into_kind)
        else {
            panic!("integers were read as floats")
        };
        assert!(tensor.to_f32_vec().is_err());
    }

    #[test]
    fn half_precision_widens_without_loss() {
        let halves = vec![f16::from_f32(1.5), f16::from_bits(1), f16::NEG_INFINITY];
        let tensor = Tensor::from_f16([3], halves).unwrap();
        let widened = tensor.to_f32_vec().unwrap();
        assert_eq!(widened, [1.5, 2.0_f32.powi(-24), f32::NEG_INFINITY]);
        assert_eq!(tensor.first_non_finite(), Some(2));
    }
}
