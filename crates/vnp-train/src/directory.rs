//! Where a training keeps its state.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::lock::{Lock, NotTaken};

/// An output directory with its `checkpoints/`, locked: as long as this lives, no other process
/// trains in it.
#[derive(Debug)]
pub struct TrainingDirectory {
    path: PathBuf,
    checkpoints: PathBuf,
    _lock: Lock,
}

impl TrainingDirectory {
    /// Makes the directory where it is missing, takes its lock, and removes what killed savers
    /// left.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process holds it; [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        let checkpoints = path.join("checkpoints");
        fs_err::create_dir_all(&checkpoints)?;
        let lock = Lock::take(&checkpoints.join("lock")).map_err(|error| match error {
            NotTaken::Held(holder) => Error::Locked { path: path.to_owned(), holder },
            NotTaken::Io(source) => Error::Io(source),
        })?;
        sync(&checkpoints)?;
        sync(path)?;
        for directory in [path, &checkpoints] {
            for removed in vnp_ckpt::sweep_stale_temporaries(directory)? {
                log::debug!("{} was left by a killed writer: removed", removed.display());
            }
        }
        // A directory above need not be readable for us to work below it.
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        if let Err(error) = sync(parent.unwrap_or(Path::new("."))) {
            log::debug!("{error}");
        }
        Ok(Self { path: path.to_owned(), checkpoints, _lock: lock })
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.checkpoints.join("training.vnp")
    }
}

/// Brings a directory to disk: a durable file in a directory that is lost with the power is lost too.
fn sync(directory: &Path) -> Result<(), Error> {
    // Elsewhere a directory cannot be opened, and need not be.
    if cfg!(unix) {
        fs_err::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_is_trained_in_by_one() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("out");
        let first = TrainingDirectory::open(&path).unwrap();
        assert_eq!(first.state(), path.join("checkpoints/training.vnp"));
        let Err(Error::Locked { path: locked, holder }) = TrainingDirectory::open(&path) else {
            panic!("opened twice")
        };
        assert_eq!(locked, path);
        assert!(holder.starts_with("process "), "{holder}");
        drop(first);
        TrainingDirectory::open(&path).unwrap();
    }
}
