//! The size and digest of a published file, taken while it is written.

use std::io::{self, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::error::Error;

/// What a published file is checked against later.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileDigest {
    /// Lines below the header, or FASTA records.
    pub rows: u64,
    /// Size of the file in bytes.
    pub bytes: u64,
    /// SHA-256 of the file, in hexadecimal.
    pub sha256: String,
}

impl FileDigest {
    /// The size and digest of a file as it is now; `rows` is not counted but taken from the caller.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn of_file(path: &Path, rows: u64) -> Result<Self, Error> {
        let mut hasher = Hashing::new(io::sink());
        io::copy(&mut fs_err::File::open(path)?, &mut hasher)?;
        Ok(hasher.digest(rows))
    }
}

/// A writer that counts and digests what passes through it.
#[derive(Debug)]
pub(super) struct Hashing<W> {
    pub(super) inner: W,
    sha256: Sha256,
    bytes: u64,
}

impl<W> Hashing<W> {
    pub(super) fn new(inner: W) -> Self {
        Self { inner, sha256: Sha256::new(), bytes: 0 }
    }

    pub(super) fn digest(&self, rows: u64) -> FileDigest {
        let sha256 = self.sha256.clone().finalize();
        FileDigest { rows, bytes: self.bytes, sha256: hex::encode(sha256) }
    }
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.inner.write(buffer)?;
        // A writer that claims more than it was given breaks its own contract.
        self.sha256.update(buffer.get(..written).ok_or(io::ErrorKind::InvalidData)?);
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.inner.flush()
    }
}
