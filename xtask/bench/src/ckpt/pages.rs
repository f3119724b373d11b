//! A mapped file, for the limit that a mapped load is compared with.
#![expect(unsafe_code, reason = "mapping is what is measured here, of a file of our own")]

use std::path::Path;

use anyhow::Result;
use memmap2::Mmap;

/// Maps a file that no process writes to.
pub(super) fn map(path: &Path) -> Result<Mmap> {
    let file = fs_err::File::open(path)?;
    // SAFETY: the file was made by this process in a directory of its own, and is only read.
    Ok(unsafe { Mmap::map(file.file()) }?)
}
