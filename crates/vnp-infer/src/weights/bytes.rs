//! The stored elements of a tensor, borrowed where possible, and read as numbers of any type.

#![expect(clippy::indexing_slicing, reason = "rows are those of a tensor whose shape was checked")]

use std::ops::{Deref, Range};

use super::convert::{Float, Number};
use super::mapped::Mapped;

/// The bytes of a tensor: without a copy where they are in memory.
#[derive(Debug)]
pub(crate) enum TensorBytes<'a> {
    /// Memory: compiled into the program, or of tensors that it made.
    Slice(&'a [u8]),
    /// A copy, read from a file.
    Read(Vec<u8>),
    /// Pages of a file, unmapped when this is dropped.
    Mapped(Mapped),
    /// A tensor of a PyTorch file, whose CRC was compared.
    Checkpoint(vnp_ckpt::Tensor),
}

impl Deref for TensorBytes<'_> {
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

/// A tensor of floats as it is stored, to be read as numbers of any type, a few rows at a time.
#[derive(Debug)]
pub(crate) struct StoredTensor<'a> {
    float: Float,
    shape: &'a [usize],
    bytes: TensorBytes<'a>,
}

impl<'a> StoredTensor<'a> {
    /// `bytes` are little-endian and row-major.
    pub(super) fn new(float: Float, shape: &'a [usize], bytes: TensorBytes<'a>) -> Self {
        Self { float, shape, bytes }
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
        self.float.extend(&self.bytes, into);
    }

    /// Adds the elements of some rows, counted along the first dimension, to `into`: packing a
    /// matrix takes no more memory than the rows at hand.
    pub(crate) fn extend_rows<T: Number>(&self, rows: Range<usize>, into: &mut Vec<T>) {
        let row_bytes = self.bytes.len() / self.shape[0];
        self.float.extend(&self.bytes[rows.start * row_bytes..rows.end * row_bytes], into);
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

    fn stored(tensors: &Tensors) -> StoredTensor<'_> {
        let info = tensors.info("m").unwrap();
        StoredTensor::new(Float::of(info.dtype).unwrap(), &info.shape, tensors.bytes("m").unwrap())
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
    }

    #[test]
    #[should_panic(expected = "out of range")]
    fn rows_beyond_the_last_are_a_defect() {
        let tensors = matrix(|tensors, values| tensors.insert_f16("m", &[3, 2], values));
        stored(&tensors).extend_rows(2..4, &mut Vec::<f32>::new());
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
