//! The payloads of a native file: read in steps, hashed on the way, and allocated only when the file
//! is long enough to hold them.

use crate::digest::{Digest, Hasher};
use crate::error::kind::ErrorKind;
use crate::header::Section;
use crate::header::preamble::ALIGNMENT;
use crate::read::container::Input;
use crate::read::window::Window;
use crate::tensor::Tensor;
use crate::tensor::block::Block;
use crate::tensor::dtype::Dtype;

/// The sections of an open file, and the padding between them.
pub(crate) struct Payloads<R>(pub(crate) Window<R>);

impl<R: Input> Payloads<R> {
    /// Checks that only zeros lie between `end`, where something ends, and the next section.
    pub(crate) fn padding(&mut self, end: u64) -> Result<(), ErrorKind> {
        let mut bytes = [0; ALIGNMENT as usize];
        let length = (ALIGNMENT - end % ALIGNMENT) % ALIGNMENT;
        let (bytes, _) = bytes.split_at_mut(length as usize);
        self.0.read_at(end, bytes)?;
        check_zeros(bytes, end)
    }

    /// Reads a section and compares its digest.
    pub(crate) fn block(&mut self, section: &Section) -> Result<Block, ErrorKind> {
        let mut block = Block::for_section(&section.name, section.length)?;
        let mut hasher = Hasher::new();
        self.0.read_steps(section.offset, block.bytes_mut(), |step| hasher.update(step))?;
        compare(section, hasher.finish())?;
        Ok(block)
    }

    /// Reads a tensor and compares its digest.
    pub(crate) fn tensor(
        &mut self,
        section: &Section,
        dtype: Dtype,
        shape: &[usize],
    ) -> Result<Tensor, ErrorKind> {
        Tensor::from_block(dtype, shape.to_vec(), self.block(section)?)
    }

    /// Reads a section without keeping it and compares its digest and the padding after it; each
    /// step is passed on before.
    pub(crate) fn scan(
        &mut self,
        section: &Section,
        mut each: impl FnMut(&[u8]),
    ) -> Result<(), ErrorKind> {
        let mut hasher = Hasher::new();
        self.0.scan(section.offset, section.length, |step| {
            hasher.update(step);
            each(step);
        })?;
        compare(section, hasher.finish())?;
        self.padding(section.end())
    }

    /// Scans a section; returns the digests of its pieces of this length, of which the last may be
    /// shorter.
    pub(crate) fn scan_pieces(
        &mut self,
        section: &Section,
        piece_bytes: u64,
    ) -> Result<Vec<Digest>, ErrorKind> {
        let mut digests = Vec::new();
        let (mut hasher, mut left) = (Hasher::new(), piece_bytes);
        self.scan(section, |mut bytes| {
            while !bytes.is_empty() {
                let length = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
                let (own, rest) = bytes.split_at(length);
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
        Ok(digests)
    }
}

/// Compares the digest of a section with the one recorded.
pub(super) fn compare(section: &Section, found: Digest) -> Result<(), ErrorKind> {
    if found != section.digest {
        return Err(ErrorKind::DigestMismatch { section: section.name.clone() });
    }
    Ok(())
}

/// Checks padding that starts at `offset`.
pub(super) fn check_zeros(padding: &[u8], offset: u64) -> Result<(), ErrorKind> {
    match padding.iter().zip(offset..).find(|(byte, _)| **byte != 0) {
        None => Ok(()),
        Some((byte, offset)) => {
            let subject = format!("padding at byte {offset}");
            Err(ErrorKind::inconsistent(subject, "0", byte.to_string()))
        }
    }
}
