//! A file read from front to back, hashed on the way, nothing allocated before it is justified.

use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::digest::{Digest, Hasher};
use crate::header::Section;
use crate::header::preamble::ALIGNMENT;
use crate::tensor::block::Block;
use crate::tensor::touch::fill_ahead;
use crate::{Dtype, Error, Tensor};

/// How much is read and hashed at a time: little enough to stay in a core's cache.
const STEP_BYTES: usize = 256 << 10;

/// The rest of a file.
pub(crate) struct Source<R> {
    reader: R,
    path: PathBuf,
    position: u64,
    file_bytes: u64,
}

impl<R: Read> Source<R> {
    pub(crate) fn new(reader: R, path: &Path, position: u64, file_bytes: u64) -> Self {
        Self { reader, path: path.to_owned(), position, file_bytes }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn position(&self) -> u64 {
        self.position
    }

    /// Fills `into`.
    pub(crate) fn fill(&mut self, into: &mut [u8]) -> Result<(), Error> {
        self.reader.read_exact(into).map_err(|source| match source.kind() {
            // The length was right when the file was opened: it shrank since.
            std::io::ErrorKind::UnexpectedEof => Error::Truncated {
                path: self.path.clone(),
                expected_bytes: self.file_bytes,
                found_bytes: self.position,
            },
            _ => Error::Io { path: self.path.clone(), source },
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
                path: Some(self.path.clone()),
                subject: format!("padding at byte {offset}"),
                expected: "0".to_owned(),
                found: byte.to_string(),
            }),
        }
    }

    /// Goes to a section.
    pub(crate) fn seek(&mut self, section: &Section) -> Result<(), Error>
    where
        R: Seek,
    {
        let place = self.reader.seek(SeekFrom::Start(section.offset));
        self.position = place.map_err(|source| Error::Io { path: self.path.clone(), source })?;
        Ok(())
    }

    /// Reads a section and compares the digest.
    pub(crate) fn block(&mut self, section: &Section) -> Result<Block, Error> {
        let memory = |source: &Self| source.out_of_memory(section, section.length);
        let length = usize::try_from(section.length).map_err(|_| memory(self))?;
        let mut block = Block::zeroed(length).map_err(|_| memory(self))?;
        let mut hasher = Hasher::new();
        fill_ahead(block.bytes_mut(), |piece| {
            piece.chunks_mut(STEP_BYTES).try_for_each(|step| {
                self.fill(step)?;
                hasher.update(step);
                Ok(())
            })
        })?;
        self.compare(section, hasher.finish())?;
        Ok(block)
    }

    /// Reads a section without keeping it and compares the digest.
    pub(crate) fn skip(&mut self, section: &Section) -> Result<(), Error> {
        self.scan(section, |_| {})
    }

    /// The same; each step is given away before the digest is compared.
    pub(crate) fn scan(&mut self, section: &Section, each: impl FnMut(&[u8])) -> Result<(), Error> {
        let whole = self.hash(section.length, each)?;
        self.compare(section, whole)
    }

    /// The same; the digests of its pieces of this length, of which the last may be shorter.
    pub(crate) fn skip_pieces(
        &mut self,
        section: &Section,
        piece_bytes: u64,
    ) -> Result<Vec<Digest>, Error> {
        let mut digests = Vec::new();
        let (mut hasher, mut left) = (Hasher::new(), piece_bytes);
        let whole = self.hash(section.length, |mut bytes| {
            while !bytes.is_empty() {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let (own, rest) = bytes.split_at_checked(length).unwrap_or((bytes, &[]));
                hasher.update(own);
                left -= own.len() as u64;
                bytes = rest;
                if left == 0 {
                    digests.push(hasher.finish());
                    (hasher, left) = (Hasher::new(), piece_bytes);
                }
            }
        })?;
        if left < piece_bytes {
            digests.push(hasher.finish());
        }
        self.compare(section, whole)?;
        Ok(digests)
    }

    /// Reads what follows in steps, and hashes it.
    fn hash(&mut self, length: u64, mut each: impl FnMut(&[u8])) -> Result<Digest, Error> {
        let step_bytes = usize::try_from(length).unwrap_or(usize::MAX).min(STEP_BYTES);
        let mut step = vec![0; step_bytes];
        let mut hasher = Hasher::new();
        let mut left = length;
        while left > 0 {
            let length = step.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            let (bytes, _) = step.split_at_mut(length);
            self.fill(bytes)?;
            hasher.update(bytes);
            each(bytes);
            left -= length as u64;
        }
        Ok(hasher.finish())
    }

    /// Reads a tensor.
    pub(crate) fn tensor(
        &mut self,
        section: &Section,
        dtype: Dtype,
        shape: &[usize],
    ) -> Result<Tensor, Error> {
        let block = Arc::new(self.block(section)?);
        let range = 0..block.bytes().len();
        Tensor::from_block(dtype, shape.to_vec(), block, range)
            .map_err(|error| error.in_file(&self.path))
    }

    pub(crate) fn out_of_memory(&self, section: &Section, bytes: u64) -> Error {
        Error::OutOfMemory { path: self.path.clone(), section: section.name.clone(), bytes }
    }

    fn compare(&self, section: &Section, found: Digest) -> Result<(), Error> {
        if found != section.digest {
            let section = section.name.clone();
            return Err(Error::DigestMismatch { path: self.path.clone(), section });
        }
        Ok(())
    }
}
