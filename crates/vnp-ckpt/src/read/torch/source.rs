//! Where the storages of a file lie: in records of an archive, or one after the other.

use crate::error::kind::ErrorKind;
use crate::read::container::{Input, Integrity};
use crate::read::torch::archive::Archive;
use crate::read::torch::legacy::Legacy;

/// The open file behind a tree of values.
pub(crate) enum Source<R> {
    Archive(Archive<R>),
    Legacy(Legacy<R>),
}

impl<R: Input> Source<R> {
    /// The index of the storage of this key, in the order of the file, and its length in bytes.
    pub(crate) fn find(&self, key: &str) -> Option<(u32, u64)> {
        match self {
            Self::Archive(archive) => {
                let index = archive.find(name(key).as_bytes())?;
                Some((index, archive.length(index)))
            }
            Self::Legacy(legacy) => legacy.find(key),
        }
    }

    /// Fills `into`, which is as long as the storage.
    pub(crate) fn read(&mut self, index: u32, key: &str, into: &mut [u8]) -> Result<(), ErrorKind> {
        match self {
            Self::Archive(archive) => archive.read(index, name(key).as_bytes(), into),
            Self::Legacy(legacy) => legacy.read(index, into),
        }
    }

    /// Fills `into` with the bytes of the storage from `start` on. The checksum of the whole storage
    /// is compared the first time.
    pub(crate) fn read_piece(
        &mut self,
        index: u32,
        key: &str,
        start: u64,
        into: &mut [u8],
    ) -> Result<(), ErrorKind> {
        match self {
            Self::Archive(archive) => archive.read_piece(index, name(key).as_bytes(), start, into),
            Self::Legacy(legacy) => legacy.read_piece(index, start, into),
        }
    }

    pub(crate) fn integrity(&self) -> Integrity {
        match self {
            Self::Archive(archive) => archive.integrity(),
            Self::Legacy(_) => Integrity::Unverified,
        }
    }

    /// Reads everything and compares all checksums.
    pub(crate) fn verify(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::Archive(archive) => archive.verify(),
            Self::Legacy(_) => Ok(()),
        }
    }

    /// The same, for the records that were not read yet.
    pub(crate) fn verify_rest(&mut self) -> Result<(), ErrorKind> {
        match self {
            Self::Archive(archive) => archive.verify_rest(),
            Self::Legacy(_) => Ok(()),
        }
    }
}

fn name(key: &str) -> String {
    format!("data/{key}")
}
