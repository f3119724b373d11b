//! The memory of a tensor's elements: a vector of their own type or a piece of a block, so that every
//! view is aligned.

use std::ops::Range;
use std::sync::Arc;

use half::{bf16, f16};

use super::block::Block;
use super::cast::{Plain, bytes_of, elements_of};
use super::dtype::Dtype;

#[cfg(target_endian = "big")]
compile_error!("vnp-ckpt hands out a tensor's memory as its little-endian bytes");

/// The elements of a tensor.
#[derive(Clone, Debug)]
pub(crate) enum Buffer {
    F32(Vec<f32>),
    F16(Vec<f16>),
    Bf16(Vec<bf16>),
    F64(Vec<f64>),
    I64(Vec<i64>),
    I32(Vec<i32>),
    I16(Vec<i16>),
    I8(Vec<i8>),
    U8(Vec<u8>),
    Bool(Vec<u8>),
    /// Bytes of a block, whose range [`Buffer::shared`] has checked.
    Shared {
        dtype: Dtype,
        block: Arc<Block>,
        range: Range<usize>,
    },
}

impl Buffer {
    /// A piece of a block; `None` where it does not lie inside, is not aligned, or is no whole
    /// number of elements.
    pub(crate) fn shared(dtype: Dtype, block: Arc<Block>, range: Range<usize>) -> Option<Self> {
        let size = dtype.size_bytes();
        let fits = block.holds(&range, size) && range.len().is_multiple_of(size);
        fits.then_some(Self::Shared { dtype, block, range })
    }

    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F16(_) => Dtype::F16,
            Self::Bf16(_) => Dtype::Bf16,
            Self::F64(_) => Dtype::F64,
            Self::I64(_) => Dtype::I64,
            Self::I32(_) => Dtype::I32,
            Self::I16(_) => Dtype::I16,
            Self::I8(_) => Dtype::I8,
            Self::U8(_) => Dtype::U8,
            Self::Bool(_) => Dtype::Bool,
            Self::Shared { dtype, .. } => *dtype,
        }
    }

    /// Number of elements.
    pub(crate) fn len(&self) -> usize {
        self.bytes().len() / self.dtype().size_bytes()
    }

    #[expect(clippy::indexing_slicing, reason = "`shared` has checked the range")]
    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::F32(values) => bytes_of(values),
            Self::F16(values) => bytes_of(values),
            Self::Bf16(values) => bytes_of(values),
            Self::F64(values) => bytes_of(values),
            Self::I64(values) => bytes_of(values),
            Self::I32(values) => bytes_of(values),
            Self::I16(values) => bytes_of(values),
            Self::I8(values) => bytes_of(values),
            Self::U8(values) | Self::Bool(values) => values,
            Self::Shared { block, range, .. } => &block.bytes()[range.clone()],
        }
    }

    /// A range of its bytes: the memory itself where that is shared, or else a copy.
    pub(crate) fn slice(&self, range: Range<usize>) -> Option<Self> {
        if let Self::Shared { dtype, block, range: own } = self {
            let start = own.start.checked_add(range.start)?;
            let end = own.start.checked_add(range.end).filter(|&end| end <= own.end)?;
            return Self::shared(*dtype, Arc::clone(block), start..end);
        }
        let bytes = self.bytes().get(range)?;
        let mut block = Block::zeroed(bytes.len()).ok()?;
        block.bytes_mut().copy_from_slice(bytes);
        Self::shared(self.dtype(), Arc::new(block), 0..bytes.len())
    }

    /// The elements, for a caller who knows their type: place and alignment are checked where a
    /// buffer is made, so that the cast cannot fail.
    pub(crate) fn elements<T: Plain>(&self) -> &[T] {
        let elements = elements_of(self.bytes());
        debug_assert!(elements.is_some(), "misaligned elements");
        elements.unwrap_or_default()
    }
}
