//! The elements of a tensor, lent where they lie.

use std::ops::{Deref, Range};

use safetensors::Dtype;

use super::convert::{self, Number};
use super::mapped::Mapped;

/// Bytes that a source of tensors lends: without a copy where there is memory to point at.
#[derive(Debug)]
pub(crate) enum Lent<'a> {
    /// They are in memory: compiled into the program, or made by it.
    Slice(&'a [u8]),
    /// They were read from a file.
    Read(Vec<u8>),
    /// They are pages of a file, given back when this is dropped.
    Mapped(Mapped),
    /// They were read from a PyTorch file, and their CRC compared.
    Checkpoint(vnp_ckpt::Tensor),
}

impl Deref for Lent<'_> {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Slice(bytes) => bytes,
            Self::Read(bytes) => bytes,
            Self::Mapped(pages) => pages.bytes(),
            Self::Checkpoint(tensor) => tensor.bytes(),
        }
    }
}

/// A tensor of floats as it is stored, to be taken as numbers of any type, a few rows at a time.
#[derive(Debug)]
pub(crate) struct Stored<'a> {
    dtype: Dtype,
    shape: &'a [usize],
    bytes: Lent<'a>,
}

impl<'a> Stored<'a> {
    /// `dtype` is one of F32, F16 and BF16, `bytes` little-endian and row-major.
    pub(super) fn new(dtype: Dtype, shape: &'a [usize], bytes: Lent<'a>) -> Self {
        Self { dtype, shape, bytes }
    }

    /// Its shape.
    pub(crate) fn shape(&self) -> &'a [usize] {
        self.shape
    }

    /// Its elements as numbers of another type.
    pub(crate) fn to_vec<T: Number>(&self) -> Vec<T> {
        let mut numbers = Vec::new();
        self.extend(&mut numbers);
        numbers
    }

    /// Adds all elements to `into`.
    pub(crate) fn extend<T: Number>(&self, into: &mut Vec<T>) {
        convert::extend(self.dtype, &self.bytes, into);
    }

    /// Adds the elements of some rows, counted along the first dimension, to `into`: what packs
    /// a matrix needs no more memory than the rows at hand. Rows that are not there add nothing.
    pub(crate) fn extend_rows<T: Number>(&self, rows: Range<usize>, into: &mut Vec<T>) {
        let count = self.shape.first().copied().unwrap_or(1);
        let row_bytes = self.bytes.len().checked_div(count).unwrap_or(0);
        let range = rows.start.saturating_mul(row_bytes)..rows.end.saturating_mul(row_bytes);
        convert::extend(self.dtype, self.bytes.get(range).unwrap_or_default(), into);
    }
}

#[cfg(test)]
mod tests {
    use half::{bf16, f16};

    use super::*;
    use crate::weights::TensorSource;
    use crate::weights::tensors::Tensors;

    fn matrix(insert: impl Fn(&mut Tensors, &[f32])) -> Tensors {
        let mut tensors = Tensors::default();
        insert(&mut tensors, &[0.5, -1.0, 2.0, 1e-3, 65504.0, -0.0]);
        tensors
    }

    fn stored(tensors: &Tensors) -> Stored<'_> {
        let info = tensors.info("m").unwrap();
        Stored::new(info.dtype, &info.shape, tensors.bytes("m").unwrap())
    }

    #[test]
    fn rows_are_those_of_the_whole() {
        let tensors = matrix(|tensors, values| tensors.insert_f16("m", &[3, 2], values));
        let stored = stored(&tensors);
        let all: Vec<f32> = stored.to_vec();
        let check = |rows: Range<usize>, expected: &[f32]| {
            let mut found = vec![7.0_f32];
            stored.extend_rows(rows, &mut found);
            assert_eq!(found.split_first().unwrap(), (&7.0, expected));
        };
        check(0..3, &all);
        check(1..2, &all[2..4]);
        check(2..3, &all[4..]);
        check(1..1, &[]);
        check(2..4, &[]);
        check(0..usize::MAX, &[]);
        #[expect(clippy::reversed_empty_ranges, reason = "the case")]
        check(2..1, &[]);
    }

    #[test]
    fn a_vector_is_rows_of_one_number() {
        let mut tensors = Tensors::default();
        tensors.insert_f32("m", &[4], &[1.0, 2.0, 3.0, 4.0]);
        let mut found: Vec<bf16> = Vec::new();
        stored(&tensors).extend_rows(1..3, &mut found);
        assert_eq!(found, [bf16::from_f32(2.0), bf16::from_f32(3.0)]);
    }

    #[test]
    fn numbers_of_every_type() {
        let halves = matrix(|tensors, values| tensors.insert_f16("m", &[6], values));
        let floats = matrix(|tensors, values| tensors.insert_f32("m", &[6], values));
        let values: Vec<f32> = stored(&floats).to_vec();
        assert_eq!(values, [0.5, -1.0, 2.0, 1e-3, 65504.0, -0.0]);
        let rounded: Vec<f32> = values.iter().map(|x| f16::from_f32(*x).to_f32()).collect();
        assert_eq!(stored(&halves).to_vec::<f32>(), rounded);
        let check = |tensors: &Tensors, values: &[f32]| {
            let expected: Vec<f16> = values.iter().map(|x| f16::from_f32(*x)).collect();
            assert_eq!(stored(tensors).to_vec::<f16>(), expected);
            let expected: Vec<bf16> = values.iter().map(|x| bf16::from_f32(*x)).collect();
            assert_eq!(stored(tensors).to_vec::<bf16>(), expected);
        };
        check(&halves, &rounded);
        check(&floats, &values);
    }
}
