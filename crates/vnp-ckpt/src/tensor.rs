//! Tensors: a type, a shape and little-endian bytes.

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};

use crate::error::Error;
use crate::error::kind::ErrorKind;

pub(crate) mod block;
pub(crate) mod buffer;
pub(crate) mod cast;
pub(crate) mod dtype;
pub(crate) mod element;
pub(crate) mod touch;
mod views;

use block::Block;
use buffer::Buffer;
use dtype::Dtype;

/// A dense row-major array, `[d0, d1, ...]`; no dimension at all is one number.
///
/// Two tensors are equal when type, shape and every bit are: a NaN equals itself, and `-0.0` is
/// not `0.0`.
///
/// ```
/// use vnp_ckpt::{Dtype, Tensor};
///
/// let tensor = Tensor::from_f32([2, 3], vec![0.0, 0.5, 1.0, 1.5, 2.0, 2.5])?;
/// assert_eq!((tensor.dtype(), tensor.shape()), (Dtype::F32, &[2, 3][..]));
/// assert_eq!(tensor.as_f32()?[4], 2.0);
/// assert_eq!(tensor.bytes().len(), 24);
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Tensor {
    shape: Vec<usize>,
    data: Buffer,
}

/// One constructor per type of elements.
macro_rules! constructors {
    ($($(#[$doc:meta])* $name:ident($element:ty) => $variant:ident;)+) => {
        impl Tensor {
            $(
                $(#[$doc])*
                ///
                /// # Errors
                /// [`ErrorKind::Inconsistent`](crate::ErrorKind::Inconsistent) when the number of values
                /// is not the product of the shape.
                pub fn $name(
                    shape: impl Into<Vec<usize>>,
                    values: Vec<$element>,
                ) -> Result<Self, Error> {
                    Ok(Self::from_buffer(shape.into(), Buffer::$variant(values))?)
                }
            )+
        }
    };
}

constructors! {
    /// A tensor of 32-bit floats.
    from_f32(f32) => F32;
    /// A tensor of 16-bit floats (IEEE half precision).
    from_f16(f16) => F16;
    /// A tensor of 16-bit floats with the exponent of 32-bit ones.
    from_bf16(bf16) => Bf16;
    /// A tensor of 64-bit floats.
    from_f64(f64) => F64;
    /// A tensor of 64-bit signed integers.
    from_i64(i64) => I64;
    /// A tensor of 32-bit signed integers.
    from_i32(i32) => I32;
    /// A tensor of 16-bit signed integers.
    from_i16(i16) => I16;
    /// A tensor of 8-bit signed integers.
    from_i8(i8) => I8;
    /// A tensor of bytes.
    from_u8(u8) => U8;
}

impl Tensor {
    /// A tensor of booleans.
    ///
    /// # Errors
    /// As [`Tensor::from_f32`].
    pub fn from_bool(shape: impl Into<Vec<usize>>, values: Vec<bool>) -> Result<Self, Error> {
        let bytes = values.into_iter().map(u8::from).collect();
        Ok(Self::from_buffer(shape.into(), Buffer::Bool(bytes))?)
    }

    /// A tensor whose elements are all of a block.
    pub(crate) fn from_block(
        dtype: Dtype,
        shape: Vec<usize>,
        block: Block,
    ) -> Result<Self, ErrorKind> {
        let range = 0..block.bytes().len();
        Self::in_block(dtype, shape, Arc::new(block), range)
    }

    /// A tensor in a piece of a block.
    pub(crate) fn in_block(
        dtype: Dtype,
        shape: Vec<usize>,
        block: Arc<Block>,
        range: Range<usize>,
    ) -> Result<Self, ErrorKind> {
        let found = format!("bytes {range:?} of {}", block.bytes().len());
        let data = Buffer::shared(dtype, block, range).ok_or_else(|| {
            let expected = format!("whole {dtype}, aligned and inside");
            ErrorKind::inconsistent("position of a tensor in memory", expected, found)
        })?;
        Self::from_buffer(shape, data)
    }

    fn from_buffer(shape: Vec<usize>, data: Buffer) -> Result<Self, ErrorKind> {
        let found = data.len();
        match element_count(&shape) {
            Some(elements) if elements == found as u64 => Ok(Self { shape, data }),
            expected => {
                let subject = format!("values of a tensor of shape {shape:?}");
                let expected = expected.map_or("fewer than 2^64".to_owned(), |n| n.to_string());
                Err(ErrorKind::inconsistent(subject, expected, found.to_string()))
            }
        }
    }

    /// The type of its elements.
    #[must_use]
    pub fn dtype(&self) -> Dtype {
        self.data.dtype()
    }

    /// Its dimensions, the slowest first.
    #[must_use]
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// Its elements in row-major order, little-endian.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        self.data.bytes()
    }

    /// Number of elements.
    #[must_use]
    pub fn len(&self) -> usize {
        self.data.len()
    }

    /// Whether there is no element.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes of one row, `[1, ...]`; `None` without a first dimension.
    pub(crate) fn row_bytes(&self) -> Option<usize> {
        let (_, row) = self.shape.split_first()?;
        Some(row.iter().product::<usize>() * self.dtype().size_bytes())
    }

    fn row_range(&self, rows: Range<usize>) -> Option<Range<usize>> {
        let inside = rows.end <= *self.shape.first()?;
        let row = self.row_bytes().filter(|_| inside)?;
        Some(rows.start.checked_mul(row)?..rows.end.checked_mul(row)?)
    }

    /// Rows as a tensor of their own, which shares the memory where it can.
    pub(crate) fn slice(&self, rows: Range<usize>) -> Option<Self> {
        let mut shape = self.shape.clone();
        *shape.first_mut()? = rows.len();
        let data = self.data.slice(self.row_range(rows)?)?;
        Some(Self { shape, data })
    }
}

impl PartialEq for Tensor {
    fn eq(&self, other: &Self) -> bool {
        self.dtype() == other.dtype() && self.shape == other.shape && self.bytes() == other.bytes()
    }
}

impl Eq for Tensor {}

/// The product of a shape, `None` above 2^64 - 1. A zero does not excuse other dimensions.
pub(crate) fn element_count(shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size.max(1) as u64))?;
    shape.iter().try_fold(1_u64, |product, &size| product.checked_mul(size as u64))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_count(shape: &[usize], expected: Option<u64>) {
        assert_eq!(element_count(shape), expected, "{shape:?}");
    }

    #[test]
    fn products_are_checked() {
        check_count(&[], Some(1));
        check_count(&[0], Some(0));
        check_count(&[2, 3], Some(6));
        check_count(&[1 << 31, 1 << 31], Some(1 << 62));
        check_count(&[1 << 32, 1 << 32], None);
        check_count(&[0, 1 << 32, 1 << 32], None);
        check_count(&[1 << 32, 0, 1 << 32], None);
    }

    #[test]
    fn the_number_of_values_must_fit() {
        let kind = Tensor::from_u8([2, 3], vec![0; 5]).map_err(Error::into_kind);
        let Err(ErrorKind::Inconsistent { expected, found, .. }) = kind else {
            panic!("five values made a tensor of six")
        };
        assert_eq!((expected.as_str(), found.as_str()), ("6", "5"));
        let kind = Tensor::from_u8([usize::MAX, 2], vec![]).map_err(Error::into_kind);
        let Err(ErrorKind::Inconsistent { .. }) = kind else {
            panic!("an overflowing shape made a tensor")
        };
    }

    #[test]
    fn equality_is_of_bits() {
        let of = |value: f32| Tensor::from_f32([1], vec![value]).unwrap();
        assert_eq!(of(f32::NAN), of(f32::NAN));
        assert_ne!(of(0.0), of(-0.0));
        assert_ne!(of(0.0), Tensor::from_f32([1, 1], vec![0.0]).unwrap());
    }
}
