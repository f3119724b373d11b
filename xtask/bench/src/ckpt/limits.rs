//! The fastest that this machine can write, copy and hash bytes, without any format.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use vnp_ckpt::Digest;

use super::pages;

/// Copies to memory that was written to before.
pub(super) fn copy(from: &[u8], into: &mut [u8]) -> Result<()> {
    into.copy_from_slice(from);
    std::hint::black_box(into);
    Ok(())
}

/// Writes bytes to a new file and syncs it.
pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// Writes under a temporary name, then renames the file and syncs its directory.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    write(&temporary, bytes)?;
    fs_err::rename(&temporary, path)?;
    if let (true, Some(parent)) = (cfg!(unix), path.parent()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// The digest of a file's pages.
pub(super) fn map_and_digest(path: &Path) -> Result<impl Sized> {
    let pages = pages::map(path)?;
    std::hint::black_box(Digest::of(&pages));
    Ok(pages)
}
