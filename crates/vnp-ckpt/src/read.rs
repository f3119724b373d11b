//! Reading: the file's first bytes decide who reads the rest.

use std::fs::Metadata;
use std::path::Path;

use fs_err as fs;

use crate::header::Header;
use crate::{Checkpoint, Error, Limits};

pub(crate) mod native;
pub(crate) mod payload;

/// Reads a checkpoint of any version up to [`Version::CURRENT`](crate::Version::CURRENT), every
/// digest verified. The file is never written to.
///
/// Logs `Loading checkpoint v{version}: {name}` at info level.
///
/// ```
/// use vnp_ckpt::{Checkpoint, Limits, atomic_save, load_with_compatibility};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("part.vnp");
/// atomic_save(&path, &Checkpoint::builder("scores").build()?)?;
/// let read = load_with_compatibility(&path, &Limits::default())?;
/// assert_eq!(read.kind(), "scores");
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
///
/// # Errors
/// [`Error::Io`] and [`Error::NotAFile`] when it cannot be read; otherwise one that
/// [`Error::is_incompatible`] or [`Error::is_corrupted`] sorts.
pub fn load_with_compatibility(path: &Path, limits: &Limits) -> Result<Checkpoint, Error> {
    let (mut file, metadata) = open(path)?;
    let (header, mut source) = native::open(&mut file, path, metadata.len(), limits)?;
    let name = path.file_name().unwrap_or(path.as_os_str());
    log::info!("Loading checkpoint v{}: {}", header.version, name.to_string_lossy());
    native::load(header, &mut source)
}

/// Reads a checkpoint from a stream of `length_bytes`, as [`load_with_compatibility`] does from a
/// file; `name` is for messages.
///
/// # Errors
/// As [`load_with_compatibility`].
pub fn load_from_reader(
    name: &Path,
    mut reader: impl std::io::Read,
    length_bytes: u64,
    limits: &Limits,
) -> Result<Checkpoint, Error> {
    let (header, mut source) = native::open(&mut reader, name, length_bytes, limits)?;
    native::load(header, &mut source)
}

/// Reads the header and nothing behind it: what a checkpoint is, in a time that does not depend
/// on its size. The same gate and the same checks of the header as a full load.
///
/// # Errors
/// As [`load_with_compatibility`].
pub fn read_header(path: &Path, limits: &Limits) -> Result<Header, Error> {
    let (mut file, metadata) = open(path)?;
    native::open(&mut file, path, metadata.len(), limits).map(|(header, _)| header)
}

/// Reads the whole file and compares every digest, keeping nothing but the header: memory does
/// not depend on the file's size.
///
/// # Errors
/// As [`load_with_compatibility`]; ids and tensors are not looked into.
pub fn verify_digests(path: &Path, limits: &Limits) -> Result<Header, Error> {
    let (mut file, metadata) = open(path)?;
    let (header, mut source) = native::open(&mut file, path, metadata.len(), limits)?;
    native::verify(&header, &mut source)?;
    Ok(header)
}

/// Opens a regular file. Its kind is looked at first: opening a pipe would wait for a writer.
fn open(path: &Path) -> Result<(fs::File, Metadata), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(Error::NotAFile { path: path.to_owned() });
    }
    let file = std::fs::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    Ok((fs::File::from_parts(file, path), metadata))
}
