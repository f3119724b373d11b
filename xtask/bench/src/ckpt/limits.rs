//! What this machine can do at best, without a format.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use anyhow::Result;
use vnp_ckpt::Digest;

use super::pages;

/// Copies to memory that was touched before.
pub(crate) fn copy(from: &[u8], into: &mut [u8]) -> Result<()> {
    into.copy_from_slice(from);
    std::hint::black_box(into);
    Ok(())
}

/// Writes bytes to a new file and brings them to disk.
pub(crate) fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    Ok(())
}

/// The same under another name, which then becomes the file's own, also on disk.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let temporary = path.with_extension("tmp");
    write(&temporary, bytes)?;
    fs_err::rename(&temporary, path)?;
    if let (true, Some(parent)) = (cfg!(unix), path.parent()) {
        File::open(parent)?.sync_all()?;
    }
    Ok(())
}

/// The digest of a file's pages.
pub(crate) fn map_and_digest(path: &Path) -> Result<impl Sized> {
    let pages = pages::map(path)?;
    std::hint::black_box(Digest::of(&pages));
    Ok(pages)
}
