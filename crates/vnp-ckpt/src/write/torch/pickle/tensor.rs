//! Tensors in a pickle, and the storages that they are views of.

use std::io::{self, Write};

use super::Pickler;
use crate::tensor::dtype::Dtype;

/// The bytes that tensors are views of: a record of the archive.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Storage {
    /// Its number among the records `data/0`, `data/1`, ...
    pub(crate) key: usize,
    /// The type of its elements.
    pub(crate) dtype: Dtype,
    /// Number of elements.
    pub(crate) len: usize,
}

impl<W: Write> Pickler<W> {
    /// A tensor: a row-major view of a storage, from element `offset` on.
    pub(crate) fn tensor(
        &mut self,
        storage: Storage,
        offset: usize,
        shape: &[usize],
    ) -> io::Result<()> {
        self.global("torch._utils", "_rebuild_tensor_v2")?;
        self.out.write_all(b"(")?;
        self.storage(storage)?;
        self.size(offset)?;
        self.tuple(shape)?;
        self.tuple(&strides(shape))?;
        self.truth(false)?;
        self.global("collections", "OrderedDict")?;
        self.out.write_all(b")RtR")?;
        self.values += 4;
        Ok(())
    }

    fn storage(&mut self, storage: Storage) -> io::Result<()> {
        if let Some(&memo) = self.storages.get(&storage.key) {
            self.get(memo)?;
            return self.out.write_all(b"Q");
        }
        self.out.write_all(b"(")?;
        self.shared_text("storage")?;
        self.global("torch", storage_type(storage.dtype))?;
        self.text(&storage.key.to_string())?;
        self.shared_text("cpu")?;
        self.size(storage.len)?;
        self.out.write_all(b"t")?;
        let memo = self.put()?;
        self.storages.insert(storage.key, memo);
        self.out.write_all(b"Q")
    }

    fn tuple(&mut self, sizes: &[usize]) -> io::Result<()> {
        self.values += 1;
        if sizes.len() > 3 {
            self.out.write_all(b"(")?;
        }
        sizes.iter().try_for_each(|&size| self.size(size))?;
        self.out.write_all(match sizes.len() {
            0 => b")",
            1 => b"\x85",
            2 => b"\x86",
            3 => b"\x87",
            _ => b"t",
        })
    }
}

/// The strides of a row-major tensor, as PyTorch has them: a dimension of no length counts as one.
fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    let mut stride = 1_usize;
    for (place, size) in strides.iter_mut().zip(shape).rev() {
        *place = stride;
        stride = stride.saturating_mul((*size).max(1));
    }
    strides
}

const fn storage_type(dtype: Dtype) -> &'static str {
    match dtype {
        Dtype::F32 => "FloatStorage",
        Dtype::F16 => "HalfStorage",
        Dtype::Bf16 => "BFloat16Storage",
        Dtype::F64 => "DoubleStorage",
        Dtype::I64 => "LongStorage",
        Dtype::I32 => "IntStorage",
        Dtype::I16 => "ShortStorage",
        Dtype::I8 => "CharStorage",
        Dtype::U8 => "ByteStorage",
        Dtype::Bool => "BoolStorage",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_values_are_referred_to() {
        let storage = Storage { key: 7, dtype: Dtype::Bf16, len: 6 };
        let first = b"ctorch._utils\n_rebuild_tensor_v2\nq\0((X\x07\0\0\0storageq\x01\
                      ctorch\nBFloat16Storage\nq\x02X\x01\0\0\x007X\x03\0\0\0cpuq\x03K\x06tq\x04Q\
                      K\0K\x02K\x03\x86K\x03K\x01\x86\x89ccollections\nOrderedDict\nq\x05)RtR";
        let second = b"h\0(h\x04QK\x03K\x03\x85K\x01\x85\x89h\x05)RtR";
        let both = |pickler: &mut Pickler<Vec<u8>>| {
            pickler.tensor(storage, 0, &[2, 3])?;
            pickler.tensor(storage, 3, &[3])
        };
        let mut pickler = Pickler::new(Vec::new()).unwrap();
        both(&mut pickler).unwrap();
        let (bytes, _) = pickler.finish().unwrap();
        let expected = [&b"\x80\x02"[..], first, second, b"."].concat();
        assert_eq!(bytes.escape_ascii().to_string(), expected.escape_ascii().to_string());
    }

    #[track_caller]
    fn check_strides(shape: &[usize], expected: &[usize]) {
        assert_eq!(strides(shape), expected, "{shape:?}");
    }

    #[test]
    fn strides_are_those_of_torch() {
        check_strides(&[], &[]);
        check_strides(&[5], &[1]);
        check_strides(&[2, 3, 4], &[12, 4, 1]);
        check_strides(&[2, 0, 4], &[4, 4, 1]);
        check_strides(&[0, 3328], &[3328, 1]);
    }
}
