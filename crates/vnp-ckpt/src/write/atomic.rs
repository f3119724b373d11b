//! Saving under a final name: the whole new file or the whole old one, never anything between.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek};
use std::path::Path;

use atomicwrites::{AtomicFile, OverwriteBehavior};

use super::native::Plan;
use crate::header::preamble::PREAMBLE_BYTES;
use crate::read::native;
use crate::{Checkpoint, Error, Limits};

/// Saves a checkpoint under `path`, in the place of what is there.
///
/// The file is written to a temporary directory beside `path`, read back and compared with the
/// digests, brought to disk, renamed, and the directory brought to disk. Whenever the process or
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
    let plan = Plan::new(checkpoint).map_err(|error| error.in_file(path))?;
    let not_committed = |source| Error::NotCommitted { path: path.to_owned(), source };
    if path.file_name().is_none() {
        let reason = io::Error::new(io::ErrorKind::InvalidInput, "the path has no file name");
        return Err(not_committed(reason));
    }
    let mut written = None;
    let mut options = OpenOptions::new();
    options.read(true).write(true).create_new(true);
    let target = AtomicFile::new(path, OverwriteBehavior::AllowOverwrite);
    let saved = target.write_with_options(
        |file| {
            let file_bytes = plan.file_bytes();
            let preamble = plan.write(file)?;
            read_back(path, file, &preamble, file_bytes)?;
            written = Some(Written { file: file.try_clone()?, preamble });
            Ok::<(), io::Error>(())
        },
        options,
    );
    match (saved, written) {
        (Ok(()), _) => Ok(()),
        // The rename was done if what was written is what the name leads to now.
        (Err(error), Some(written)) if written.is_at(path) => {
            Err(Error::DurabilityUncertain { path: path.to_owned(), source: error.into() })
        }
        (Err(error), _) => Err(not_committed(error.into())),
    }
}

/// Reads the file as a reader would, so that a write that was lost or changed on its way to the
/// file is found while the old file is still there.
fn read_back(path: &Path, file: &mut File, preamble: &[u8], file_bytes: u64) -> io::Result<()> {
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

/// What was written, held open so that no other file can take its identity.
struct Written {
    file: File,
    #[cfg_attr(unix, expect(dead_code, reason = "files have identities here"))]
    preamble: Vec<u8>,
}

impl Written {
    /// Whether `path` leads to this very file.
    #[cfg(unix)]
    fn is_at(&self, path: &Path) -> bool {
        use std::os::unix::fs::MetadataExt;
        let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
        match (self.file.metadata(), fs_err::symlink_metadata(path)) {
            (Ok(own), Ok(found)) => identity(own) == identity(found),
            _ => false,
        }
    }

    /// Whether `path` leads to a file that starts like this one; the digests in the first bytes
    /// tell any two checkpoints apart that differ at all.
    #[cfg(not(unix))]
    fn is_at(&self, path: &Path) -> bool {
        let mut found = Vec::new();
        let read = fs_err::File::open(path)
            .and_then(|file| file.take(PREAMBLE_BYTES).read_to_end(&mut found));
        read.is_ok() && found == self.preamble && self.file.metadata().is_ok()
    }
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    fn written(path: &Path) -> Written {
        fs::write(path, b"new").unwrap();
        Written { file: File::open(path).unwrap(), preamble: b"new".to_vec() }
    }

    #[test]
    fn a_file_is_known_by_its_identity() {
        let directory = tempfile::tempdir().unwrap();
        let (temporary, target) = (directory.path().join("t"), directory.path().join("a.vnp"));
        fs::write(&target, b"new").unwrap();
        let own = written(&temporary);
        assert!(!own.is_at(&target), "the same contents in another file");
        fs::rename(&temporary, &target).unwrap();
        assert!(own.is_at(&target), "renamed");
        fs::remove_file(&target).unwrap();
        assert!(!own.is_at(&target), "removed");
        fs::write(&target, b"new").unwrap();
        assert!(!own.is_at(&target), "another file after it was removed");
    }

    #[test]
    fn a_file_that_was_changed_on_its_way_is_not_committed() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.vnp");
        let checkpoint = Checkpoint::builder("k").build().unwrap();
        atomic_save(&path, &checkpoint).unwrap();
        let whole = fs::read(&path).unwrap();
        let check = |bytes: &[u8]| {
            fs::write(&path, bytes).unwrap();
            let mut file = File::open(&path).unwrap();
            read_back(&path, &mut file, &whole[..64], whole.len() as u64)
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
