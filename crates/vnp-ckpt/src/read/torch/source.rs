//! Where the storages of a file lie: in records of an archive, or one behind the other.

use super::super::container::{Input, Integrity};
use super::archive::Archive;
use super::context::Context;
use super::legacy::Legacy;
use crate::Error;

/// The open file behind a tree of values.
pub(crate) enum Source<R> {
    Archive(Archive<R>),
    Legacy(Legacy<R>),
}

impl<R: Input> Source<R> {
    /// The place of the storage of this key, in the order of the file, and its length in bytes.
    pub(crate) fn find(&self, key: &str) -> Option<(u32, u64)> {
        match self {
            Self::Archive(archive) => {
                let place = archive.find(name(key).as_bytes())?;
                Some((place, archive.length(place)))
            }
            Self::Legacy(legacy) => legacy.find(key),
        }
    }

    /// Fills `into`, which is as long as the storage.
    pub(crate) fn read(
        &mut self,
        place: u32,
        key: &str,
        into: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        match self {
            Self::Archive(archive) => archive.read(place, name(key).as_bytes(), into, context),
            Self::Legacy(legacy) => legacy.read(place, into, context),
        }
    }

    /// Fills `into` with what lies from byte `start` of the storage on. All of the storage is
    /// compared with what proves it, the first time.
    pub(crate) fn read_piece(
        &mut self,
        place: u32,
        key: &str,
        start: u64,
        into: &mut [u8],
        context: Context<'_>,
    ) -> Result<(), Error> {
        match self {
            Self::Archive(archive) => {
                archive.read_piece(place, name(key).as_bytes(), start, into, context)
            }
            Self::Legacy(legacy) => legacy.read_piece(place, start, into, context),
        }
    }

    pub(crate) fn integrity(&self) -> Integrity {
        match self {
            Self::Archive(archive) => archive.integrity(),
            Self::Legacy(_) => Integrity::Unverified,
        }
    }

    /// Compares what there is to compare.
    pub(crate) fn verify(&mut self, context: Context<'_>) -> Result<(), Error> {
        match self {
            Self::Archive(archive) => archive.verify(context),
            Self::Legacy(_) => Ok(()),
        }
    }

    /// The same, for what was not read yet.
    pub(crate) fn verify_rest(&mut self, context: Context<'_>) -> Result<(), Error> {
        match self {
            Self::Archive(archive) => archive.verify_rest(context),
            Self::Legacy(_) => Ok(()),
        }
    }
}

fn name(key: &str) -> String {
    format!("data/{key}")
}
