//! Reading: the file's first bytes decide which reader takes it.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use vnp_escape::escaped_path;

use crate::checkpoint::Checkpoint;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::header::Header;
use crate::limits::Limits;

pub(crate) mod container;
pub(crate) mod file;
pub(crate) mod mistaken;
pub(crate) mod native;
pub(crate) mod payload;
#[cfg(feature = "safetensors")]
pub(crate) mod safetensors;
mod sniff;
mod texts;
#[cfg(feature = "torch")]
mod torch;
mod window;

use container::{Container, Input, Origin};
use file::{CheckpointFile, MappableFile};
use native::NativeFile;
use sniff::Format;
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
/// [`ErrorKind::Io`] and [`ErrorKind::NotAFile`] when it cannot be read; otherwise one that
/// [`Error::is_incompatible`] or [`Error::is_corrupted`] sorts.
pub fn load_with_compatibility(path: &Path, limits: &Limits) -> Result<Checkpoint, Error> {
    Checkpoint::open(path, limits)?.load()
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
    // A stream has no time of its own: this one stands in for it in files that state none.
    let modified = "1970-01-01T00:00:00Z";
    let origin = Origin { length_bytes, modified, limits, weights_only: false };
    let container = container_of(input, origin);
    let container = container.map_err(|kind| kind.in_file(name))?;
    Ok(CheckpointFile::new(container, name, None))
}

/// Reads the header and nothing after it: what a checkpoint is, in a time that does not depend
/// on its size. The version and the header are checked as in a full load.
///
/// # Errors
/// As [`load_with_compatibility`].
pub fn read_header(path: &Path, limits: &Limits) -> Result<Header, Error> {
    Checkpoint::open(path, limits).map(CheckpointFile::into_header)
}

/// Reads the whole file and compares every digest, keeping nothing but the header: memory does
/// not depend on the file's size.
///
/// # Errors
/// As [`load_with_compatibility`]; the values of ids and tensors are not checked.
pub fn verify_digests(path: &Path, limits: &Limits) -> Result<Header, Error> {
    let mut file = Checkpoint::open(path, limits)?;
    file.verify()?;
    Ok(file.into_header())
}

impl Checkpoint {
    /// Opens a file of any version and reads its header, not its payloads.
    ///
    /// # Errors
    /// As [`load_with_compatibility`].
    pub fn open(path: &Path, limits: &Limits) -> Result<CheckpointFile, Error> {
        let (container, file) = open(path, limits, false).map_err(|kind| kind.in_file(path))?;
        Ok(CheckpointFile::new(container, path, Some(file)))
    }

    /// The same for a file of which only the tensors matter, such as the checkpoint of a training. Of a
    /// PyTorch file, values beside them that no header could hold (integers of more than 64 bits, arrays
    /// of texts, dicts with other keys than texts) are described in the metadata instead of refused.
    /// Keys that our checkpoints have too (`version`, `status`, `ids`, `embeddings`, `vnp`) mean nothing
    /// where the rest is not as in those. Classes are refused all the same.
    ///
    /// # Errors
    /// As [`load_with_compatibility`].
    pub fn open_weights(path: &Path, limits: &Limits) -> Result<CheckpointFile, Error> {
        let (container, file) = open(path, limits, true).map_err(|kind| kind.in_file(path))?;
        Ok(CheckpointFile::new(container, path, Some(file)))
    }
}

fn open(
    path: &Path,
    limits: &Limits,
    weights_only: bool,
) -> Result<(Box<dyn Container>, MappableFile), ErrorKind> {
    // Checked before it is opened: opening a pipe would wait for a writer.
    let found = std::fs::metadata(path).map_err(|error| match std::fs::read_link(path) {
        Ok(target) if error.kind() == io::ErrorKind::NotFound => {
            let reason = format!("it is a link to {}, which does not exist", escaped_path(&target));
            ErrorKind::io(io::Error::new(error.kind(), reason))
        }
        _ => ErrorKind::io(error),
    })?;
    if !found.is_file() {
        return Err(ErrorKind::NotAFile);
    }
    let file = File::open(path).map_err(ErrorKind::io)?;
    let metadata = file.metadata().map_err(ErrorKind::io)?;
    let modified = metadata.modified().ok().and_then(|time| jiff::Timestamp::try_from(time).ok());
    let modified = modified.and_then(|time| jiff::Timestamp::from_second(time.as_second()).ok());
    let modified = modified.unwrap_or_default().to_string();
    let length_bytes = metadata.len();
    let handle = file.try_clone().map_err(ErrorKind::io)?;
    let origin = Origin { length_bytes, modified: &modified, limits, weights_only };
    let container = container_of(file, origin)?;
    Ok((container, MappableFile { file: handle, length_bytes }))
}

/// The reader of an input of any format.
fn container_of(
    mut input: impl Input + 'static,
    origin: Origin<'_>,
) -> Result<Box<dyn Container>, ErrorKind> {
    Ok(match sniff::sniff(&mut input, origin)? {
        Format::Native => Box::new(NativeFile::open(input, origin)?),
        #[cfg(feature = "torch")]
        Format::TorchZip => Box::new(TorchFile::open(input, origin)?),
        #[cfg(feature = "torch")]
        Format::TorchLegacy => Box::new(TorchFile::open_legacy(input, origin)?),
        #[cfg(not(feature = "torch"))]
        Format::TorchZip | Format::TorchLegacy => {
            let remedy = "build vnp-ckpt with its feature `torch`";
            return Err(ErrorKind::unsupported("a PyTorch file", remedy));
        }
        #[cfg(feature = "safetensors")]
        Format::Safetensors => Box::new(safetensors::SafetensorsFile::open(input, origin)?),
        #[cfg(not(feature = "safetensors"))]
        Format::Safetensors => {
            let remedy = "build vnp-ckpt with its feature `safetensors`";
            return Err(ErrorKind::unsupported("a safetensors file", remedy));
        }
    })
}
