//! Reading: the file's first bytes decide who reads the rest.

use std::fs::Metadata;
use std::io::{Read, Seek};
use std::path::Path;

use fs_err as fs;

use crate::{Checkpoint, CheckpointFile, Error, Header, Limits};

pub(crate) mod container;
#[cfg(feature = "safetensors")]
pub(crate) mod exported;
pub(crate) mod file;
pub(crate) mod native;
pub(crate) mod payload;
#[cfg(feature = "safetensors")]
pub(crate) mod safetensors;
mod sniff;
#[cfg(feature = "torch")]
mod torch;

use container::{Container, Input, Origin};
use native::NativeFile;
use sniff::Kind;
#[cfg(feature = "torch")]
use torch::TorchFile;

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
    open(path, limits)?.load()
}

/// Opens a checkpoint that is not a file of its own: `length_bytes` bytes from position 0 of
/// `input` on. `name` is for messages.
///
/// # Errors
/// As [`load_with_compatibility`].
pub fn open_reader(
    name: &Path,
    input: impl Read + Seek + Send + 'static,
    length_bytes: u64,
    limits: &Limits,
) -> Result<CheckpointFile, Error> {
    // A stream was never changed: files of before times are given the first one.
    let modified = "1970-01-01T00:00:00Z";
    open_input(input, Origin { path: name, length_bytes, modified, limits })
}

/// Reads the header and nothing behind it: what a checkpoint is, in a time that does not depend
/// on its size. The same gate and the same checks of the header as a full load.
///
/// # Errors
/// As [`load_with_compatibility`].
pub fn read_header(path: &Path, limits: &Limits) -> Result<Header, Error> {
    open(path, limits).map(|file| file.header().clone())
}

/// Reads the whole file and compares every digest, keeping nothing but the header: memory does
/// not depend on the file's size.
///
/// # Errors
/// As [`load_with_compatibility`]; ids and tensors are not looked into.
pub fn verify_digests(path: &Path, limits: &Limits) -> Result<Header, Error> {
    let mut file = open(path, limits)?;
    file.verify()?;
    Ok(file.header().clone())
}

/// Opens a file of any format.
pub(crate) fn open(path: &Path, limits: &Limits) -> Result<CheckpointFile, Error> {
    let (file, metadata) = open_regular(path)?;
    let modified = metadata.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
    let modified = modified.and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok());
    let modified = modified.unwrap_or_default().to_string();
    let handle = file.file().try_clone();
    let handle = handle.map_err(|source| Error::Io { path: path.to_owned(), source })?;
    let origin = Origin { path, length_bytes: metadata.len(), modified: &modified, limits };
    Ok(open_input(file, origin)?.with_file(handle))
}

fn open_input(
    mut input: impl Input + 'static,
    origin: Origin<'_>,
) -> Result<CheckpointFile, Error> {
    let container: Box<dyn Container> = match sniff::sniff(&mut input, origin)? {
        Kind::Native => Box::new(NativeFile::open(input, origin)?),
        #[cfg(feature = "torch")]
        Kind::TorchZip => Box::new(TorchFile::open(input, origin)?),
        #[cfg(feature = "torch")]
        Kind::TorchLegacy => Box::new(TorchFile::open_legacy(input, origin)?),
        #[cfg(not(feature = "torch"))]
        Kind::TorchZip | Kind::TorchLegacy => {
            return Err(Error::Unsupported {
                path: origin.path.to_owned(),
                what: "a PyTorch file".to_owned(),
                remedy: "build vnp-ckpt with its feature `torch`",
            });
        }
        #[cfg(feature = "safetensors")]
        Kind::Safetensors => Box::new(safetensors::SafetensorsFile::open(input, origin)?),
        #[cfg(not(feature = "safetensors"))]
        Kind::Safetensors => {
            return Err(Error::Unsupported {
                path: origin.path.to_owned(),
                what: "a safetensors file".to_owned(),
                remedy: "build vnp-ckpt with its feature `safetensors`",
            });
        }
    };
    Ok(CheckpointFile::new(container, origin))
}

/// Opens a regular file. Its kind is looked at first: opening a pipe would wait for a writer.
fn open_regular(path: &Path) -> Result<(fs::File, Metadata), Error> {
    let io = |source| Error::Io { path: path.to_owned(), source };
    if !std::fs::metadata(path).map_err(io)?.is_file() {
        return Err(Error::NotAFile { path: path.to_owned() });
    }
    let file = std::fs::File::open(path).map_err(io)?;
    let metadata = file.metadata().map_err(io)?;
    Ok((fs::File::from_parts(file, path), metadata))
}
