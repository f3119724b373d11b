//! Where a tensor's elements lie: a vector of their own type, so that every view is aligned.

use bytemuck::cast_slice;
use half::{bf16, f16};

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
    U8(Vec<u8>),
}

impl Buffer {
    pub(crate) fn dtype(&self) -> Dtype {
        match self {
            Self::F32(_) => Dtype::F32,
            Self::F16(_) => Dtype::F16,
            Self::Bf16(_) => Dtype::Bf16,
            Self::F64(_) => Dtype::F64,
            Self::I64(_) => Dtype::I64,
            Self::U8(_) => Dtype::U8,
        }
    }

    pub(crate) fn len(&self) -> usize {
        match self {
            Self::F32(values) => values.len(),
            Self::F16(values) => values.len(),
            Self::Bf16(values) => values.len(),
            Self::F64(values) => values.len(),
            Self::I64(values) => values.len(),
            Self::U8(values) => values.len(),
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        match self {
            Self::F32(values) => cast_slice(values),
            Self::F16(values) => cast_slice(values),
            Self::Bf16(values) => cast_slice(values),
            Self::F64(values) => cast_slice(values),
            Self::I64(values) => cast_slice(values),
            Self::U8(values) => values,
        }
    }
}
