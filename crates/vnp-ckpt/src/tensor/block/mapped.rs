//! The pages of a file: the one module of the crate with `unsafe` in it.
//!
//! A mapping of a file that somebody shortens or rewrites in place while it is mapped is undefined
//! behaviour at worst and a signal at best; no check can rule it out. Checkpoints are written to a
//! temporary and renamed, never in place, so that a mapping keeps the old file. Who maps
//! files that other programs write into takes that risk, and the documentation of
//! [`CheckpointFile::map`](crate::CheckpointFile::map) says so.

use std::fs::File;
use std::io;

use memmap2::Mmap;

/// A file that is mapped, to be read.
#[derive(Debug)]
pub(crate) struct MappedFile(Mmap);

impl MappedFile {
    /// Maps the whole file.
    #[allow(unsafe_code)]
    pub(crate) fn new(file: &File) -> io::Result<Self> {
        // SAFETY: the file is opened for reading and the mapping is private to this value; the
        // module's documentation requires that no program changes the file in place.
        unsafe { Mmap::map(file) }.map(Self)
    }

    /// The bytes of the file.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
