//! Saving under a final name: the whole new file or the whole old one, never anything between.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;

use super::writer::CheckpointWriter;
use crate::header::preamble::PREAMBLE_BYTES;
use crate::read::native;
use crate::{Checkpoint, Error, Limits};

/// Saves a checkpoint under `path`, in the place of what is there.
///
/// The file is written to a temporary directory beside `path`, brought to disk while it is read
/// back and compared with the digests, renamed, and the directory brought to disk. Whenever the process or
/// the machine stops, `path` is the whole old file or the whole new one. After `Ok` it is the new
/// one, also after a loss of power. The directory itself must be on disk: who has just created it
/// syncs the directory above.
///
/// The new file has the mode that the process gives to new files (`0666` less the umask), also
/// where an old file had another; a symbolic link at `path` is replaced and what it points to is
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
/// [`Error::NotCommitted`] when `path` is as it was; [`Error::DurabilityUncertain`] when the new
/// file is in place but the directory could not be brought to disk; [`Error::LimitExceeded`] for a
/// checkpoint that the default limits would refuse to read, before anything is written.
pub fn atomic_save(path: &Path, checkpoint: &Checkpoint) -> Result<(), Error> {
    let tensors = checkpoint.tensors().map(|(_, tensor)| Some(tensor));
    CheckpointWriter::create(path, checkpoint.header(), checkpoint.ids(), tensors)?.finish()
}

/// Reads the file as a reader would, so that a write that was lost or changed on its way to the
/// file is found while the old file is still there.
pub(super) fn read_back(
    path: &Path,
    mut file: &File,
    preamble: &[u8],
    file_bytes: u64,
) -> io::Result<()> {
    let length = file.metadata()?.len();
    if length != file_bytes {
        let reason = format!("{file_bytes} bytes were written, the file has {length}");
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    file.rewind()?;
    let mut found = Vec::with_capacity(preamble.len());
    file.take(PREAMBLE_BYTES).read_to_end(&mut found)?;
    if found != preamble {
        let reason = "the file does not read back as it was written";
        return Err(io::Error::new(io::ErrorKind::InvalidData, reason));
    }
    file.rewind()?;
    native::open(file, path, length, &Limits::default())
        .and_then(|(header, mut source)| native::verify(&header, &mut source))
        .map_err(io::Error::other)
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn a_file_that_was_changed_on_its_way_is_not_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.vnp");
        let checkpoint = Checkpoint::builder("k").build().unwrap();
        atomic_save(&path, &checkpoint).unwrap();
        let whole = fs::read(&path).unwrap();
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let file = File::open(&path).unwrap();
            read_back(&path, &file, &whole[..64], whole.len() as u64)
        };
        assert!(check(&whole).is_ok());
        for index in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[index] ^= 1;
            assert!(check(&bytes).is_err(), "byte {index}");
            assert!(check(&whole[..index]).is_err(), "cut at {index}");
        }
    }
}
