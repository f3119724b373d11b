//! The Rust types of elements.

use half::{bf16, f16};

use super::dtype::Dtype;

pub(crate) mod sealed {
    /// Plain old data; only the types of this module.
    pub trait Sealed: super::super::cast::Plain {}
}

/// A Rust type that a tensor's elements are read and written as: `f32`, [`f16`](half::f16),
/// [`bf16`](half::bf16), `f64`, `i64`, `i32`, `i16`, `i8` or `u8`.
///
/// Booleans have none, for a file may hold bytes that are no `bool`: they are read as bytes.
pub trait Element: sealed::Sealed {
    /// What a tensor of this type holds.
    const DTYPE: Dtype;
}

macro_rules! elements {
    ($($element:ty: $dtype:ident),+) => {$(
        impl sealed::Sealed for $element {}

        impl Element for $element {
            const DTYPE: Dtype = Dtype::$dtype;
        }
    )+};
}

elements!(f32: F32, f16: F16, bf16: Bf16, f64: F64, i64: I64, i32: I32, i16: I16, i8: I8, u8: U8);
