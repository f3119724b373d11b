//! A tensor's elements as what they are.

use half::{bf16, f16};

use super::cast::Plain;
use super::dtype::Dtype;
use super::element::Element;
use crate::{Error, Tensor};

impl Tensor {
    /// The elements, for a caller who is generic over their type; one who is not finds `as_f32`
    /// and its like shorter.
    ///
    /// # Errors
    /// [`Error::WrongDtype`] when the tensor holds another type.
    pub fn values<T: Element>(&self) -> Result<&[T], Error> {
        self.view(T::DTYPE)
    }

    /// The 32-bit floats.
    ///
    /// # Errors
    /// [`Error::WrongDtype`] when the tensor holds another type; so for the other views.
    pub fn as_f32(&self) -> Result<&[f32], Error> {
        self.view(Dtype::F32)
    }

    /// The 16-bit floats.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_f16(&self) -> Result<&[f16], Error> {
        self.view(Dtype::F16)
    }

    /// The bfloat16 numbers.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_bf16(&self) -> Result<&[bf16], Error> {
        self.view(Dtype::Bf16)
    }

    /// The 64-bit floats.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_f64(&self) -> Result<&[f64], Error> {
        self.view(Dtype::F64)
    }

    /// The 64-bit whole numbers.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_i64(&self) -> Result<&[i64], Error> {
        self.view(Dtype::I64)
    }

    /// The 32-bit whole numbers.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_i32(&self) -> Result<&[i32], Error> {
        self.view(Dtype::I32)
    }

    /// The 16-bit whole numbers.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_i16(&self) -> Result<&[i16], Error> {
        self.view(Dtype::I16)
    }

    /// The 8-bit whole numbers.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_i8(&self) -> Result<&[i8], Error> {
        self.view(Dtype::I8)
    }

    /// The bytes, of a tensor of bytes.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_u8(&self) -> Result<&[u8], Error> {
        self.view(Dtype::U8)
    }

    /// The truth values as bytes: false is 0, and true is 1 in a file that Python or this crate
    /// wrote.
    ///
    /// # Errors
    /// As [`Tensor::as_f32`].
    pub fn as_bool_bytes(&self) -> Result<&[u8], Error> {
        self.view(Dtype::Bool)
    }

    /// The elements as 32-bit floats: f32 as they are, f16 and bf16 widened without loss.
    ///
    /// # Errors
    /// [`Error::WrongDtype`] for the other types, which 32-bit floats cannot all hold or were not
    /// meant as.
    pub fn to_f32_vec(&self) -> Result<Vec<f32>, Error> {
        match self.dtype() {
            Dtype::F16 => Ok(self.as_f16()?.iter().map(|value| value.to_f32()).collect()),
            Dtype::Bf16 => Ok(self.as_bf16()?.iter().map(|value| value.to_f32()).collect()),
            _ => self.as_f32().map(<[f32]>::to_vec),
        }
    }

    /// The place of the first NaN or infinity, counted in elements; `None` when all are finite.
    #[must_use]
    pub fn first_non_finite(&self) -> Option<usize> {
        self.dtype().first_non_finite(self.bytes())
    }

    fn view<T: Plain>(&self, expected: Dtype) -> Result<&[T], Error> {
        if self.dtype() != expected {
            return Err(Error::WrongDtype { expected, found: self.dtype() });
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
        let Err(Error::WrongDtype { expected: Dtype::F32, found: Dtype::I64 }) = tensor.as_f32()
        else {
            panic!("whole numbers were read as floats")
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
