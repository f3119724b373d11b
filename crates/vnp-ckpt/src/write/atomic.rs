//! Saving under a final name: the whole new file or the whole old one, never anything between.

use std::path::Path;

use super::writer::CheckpointWriter;
use crate::checkpoint::Checkpoint;
use crate::error::Error;

/// Saves a checkpoint under `path`, in the place of the existing file.
///
/// The file is written to a temporary directory next to `path`, brought to disk while it is read
/// back and compared with the digests, renamed, and the directory brought to disk. Whenever the process or
/// the machine stops, `path` is the whole old file or the whole new one. After `Ok` it is the new
/// one, also after a loss of power. The directory itself must be on disk: a program that has just
/// created it syncs the directory above.
///
/// The new file has the mode that the process gives to new files (`0666` less the umask), also
/// where an old file had another; a symbolic link at `path` is replaced and its target is
/// left alone. A process that is killed leaves its temporary directory (`.atomicwrite` and six
/// characters) behind, for [`sweep_stale_temporaries`](crate::sweep_stale_temporaries).
///
/// The version written is always [`CHECKPOINT_VERSION`](crate::CHECKPOINT_VERSION), whatever the
/// version of the file that the checkpoint came from.
///
/// ```
/// use vnp_ckpt::{Checkpoint, RowRange, Tensor, atomic_save};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("rows-000000000000-000000000001.vnp");
/// let checkpoint = Checkpoint::builder("scores")
///     .rows(RowRange::new(0, 1))
///     .ids(vec!["read1_chunk_1F1".into()])
///     .tensor("score", Tensor::from_f32([1, 2], vec![0.1, 0.9])?)
///     .build()?;
/// atomic_save(&path, &checkpoint)?;
/// # Ok::<(), vnp_ckpt::Error>(())
/// ```
///
/// # Errors
/// [`ErrorKind::NotCommitted`] when `path` is as it was; [`ErrorKind::DurabilityUncertain`] when the new
/// file is in place but the directory could not be brought to disk; [`ErrorKind::LimitExceeded`] for a
/// checkpoint that the default limits would refuse to read, before anything is written.
///
/// [`ErrorKind::NotCommitted`]: crate::ErrorKind::NotCommitted
/// [`ErrorKind::DurabilityUncertain`]: crate::ErrorKind::DurabilityUncertain
/// [`ErrorKind::LimitExceeded`]: crate::ErrorKind::LimitExceeded
pub fn atomic_save(path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
    let tensors = checkpoint.tensors().map(|(_, tensor)| Some(tensor));
    CheckpointWriter::create(path, checkpoint.header(), checkpoint.ids(), tensors)?.finish()
}
