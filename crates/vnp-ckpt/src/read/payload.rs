//! A file read from front to back, hashed on the way, nothing allocated before it is justified.

use std::io::Read;
use std::path::Path;

use bytemuck::{Pod, cast_slice_mut};

use crate::Error;
use crate::digest::{Digest, Hasher};
use crate::header::Section;
use crate::header::preamble::ALIGNMENT;
use crate::tensor::buffer::Buffer;
use crate::tensor::dtype::Dtype;

/// How much is read and hashed at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// The rest of a file.
pub(crate) struct Source<'a, R> {
    reader: R,
    path: &'a Path,
    position: u64,
    file_bytes: u64,
}

impl<'a, R: Read> Source<'a, R> {
    pub(crate) fn new(reader: R, path: &'a Path, position: u64, file_bytes: u64) -> Self {
        Self { reader, path, position, file_bytes }
    }

    pub(crate) fn path(&self) -> &'a Path {
        self.path
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Fills `into`.
    pub(crate) fn fill(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.reader.read_exact(into).map_err(|source| match source.kind() {
            // The length was right when the file was opened: it shrank since.
            std::io::ErrorKind::UnexpectedEof => Error::Truncated {
                path: self.path.to_owned(),
                expected_bytes: self.file_bytes,
                found_bytes: self.position,
            },
            _ => Error::Io { path: self.path.to_owned(), source },
        })?;
        self.position += into.len() as u64;
        Ok(())
    }

    /// Reads up to the next section and checks that there are only zeros on the way.
    pub(crate) fn padding(&mut self) -> Result<(), Error> {
        let start = self.position;
        let length = (ALIGNMENT - start % ALIGNMENT) % ALIGNMENT;
        let mut bytes = [0; ALIGNMENT as usize];
        let (bytes, _) = bytes.split_at_mut(length as usize);
        self.fill(bytes)?;
        match bytes.iter().zip(start..).find(|(byte, _)| **byte != 0) {
            None => Ok(()),
            Some((byte, offset)) => Err(Error::Inconsistent {
                path: Some(self.path.to_owned()),
                subject: format!("padding at byte {offset}"),
                expected: "0".to_owned(),
                found: byte.to_string(),
            }),
        }
    }

    /// Reads `count` elements of a section and compares the digest.
    pub(crate) fn elements<T: Pod>(
        &mut self,
        section: &Section,
        count: usize,
    ) -> Result<Vec<T>, Error> {
        let mut values = Vec::new();
        let bytes = section.length;
        values.try_reserve_exact(count).map_err(|_| self.out_of_memory(section, bytes))?;
        let step = (STEP_BYTES / size_of::<T>()).max(1);
        let mut hasher = Hasher::new();
        while values.len() < count {
            let start = values.len();
            values.resize(count.min(start + step), T::zeroed());
            let bytes = cast_slice_mut(values.get_mut(start..).unwrap_or_default());
            self.fill(bytes)?;
            hasher.update(bytes);
        }
        self.compare(section, hasher.finish())?;
        Ok(values)
    }

    /// Reads a section without keeping it and compares the digest.
    pub(crate) fn skip(&mut self, section: &Section) -> Result<(), Error> {
        let mut step =
            vec![0; STEP_BYTES.min(usize::try_from(section.length).unwrap_or(STEP_BYTES))];
        let mut hasher = Hasher::new();
        let mut left = section.length;
        while left > 0 {
            let length = step.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (bytes, _) = step.split_at_mut(length);
            self.fill(bytes)?;
            hasher.update(bytes);
            left -= length as u64;
        }
        self.compare(section, hasher.finish())
    }

    /// Reads the elements of a tensor.
    pub(crate) fn buffer(
        &mut self,
        section: &Section,
        dtype: Dtype,
        count: usize,
    ) -> Result<Buffer, Error> {
        Ok(match dtype {
            Dtype::F32 => Buffer::F32(self.elements(section, count)?),
            Dtype::F16 => Buffer::F16(self.elements(section, count)?),
            Dtype::Bf16 => Buffer::Bf16(self.elements(section, count)?),
            Dtype::F64 => Buffer::F64(self.elements(section, count)?),
            Dtype::I64 => Buffer::I64(self.elements(section, count)?),
            Dtype::U8 => Buffer::U8(self.elements(section, count)?),
        })
    }

    pub(crate) fn out_of_memory(&self, section: &Section, bytes: u64) -> Error {
        Error::OutOfMemory { path: self.path.to_owned(), section: section.name.clone(), bytes }
    }

    fn compare(&self, section: &Section, found: Digest) -> Result<(), Error> {
        if found != section.digest {
            let section = section.name.clone();
            return Err(Error::DigestMismatch { path: self.path.to_owned(), section });
        }
        Ok(())
    }
}
