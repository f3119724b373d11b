//! Pages of a file: the one module of this crate with `unsafe` in it.
//!
//! Only files of a bundle are mapped. `vnp` writes them under another name, renames them and never
//! changes them in place: a bundle that is replaced or removed while it is being loaded leaves
//! the mapped file as it was. A program that shortens such a file in place meanwhile stops the
//! process by a signal, and one that rewrites it changes weights that were verified. To keep that
//! window small a tensor is mapped only while it is read, which also keeps the file's pages from
//! adding up in the process's memory. Files of other programs are read.

use std::fs::File;
use std::io;

use memmap2::{Mmap, MmapOptions};

/// A range of a file that is mapped for reading.
#[derive(Debug)]
pub(crate) struct Mapped(Mmap);

impl Mapped {
    /// Maps `length` bytes, which the file has, from `start` on.
    #[allow(unsafe_code)]
    pub(crate) fn new(file: &File, start: u64, length: usize) -> io::Result<Self> {
        let mut options = MmapOptions::new();
        options.offset(start).len(length).populate();
        // SAFETY: the file is opened for reading and the mapping is private to this value; the
        // module's documentation says why the file is not changed in place.
        unsafe { options.map(file) }.map(Self)
    }

    /// The bytes.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.0
    }
}
