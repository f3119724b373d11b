//! Where a training keeps its state.

use std::path::{Path, PathBuf};

use crate::Error;
use crate::lock::Lock;

/// An output directory with its `checkpoints/`, locked: as long as this lives, no other process
/// trains in it.
#[derive(Debug)]
pub struct TrainingDirectory {
    path: PathBuf,
    _lock: Lock,
}

impl TrainingDirectory {
    /// Makes the directory where it is missing, and takes its lock.
    ///
    /// # Errors
    /// [`Error::Locked`] where another process holds it; [`Error::Io`].
    pub fn open(path: &Path) -> Result<Self, Error> {
        todo!("{}", path.display())
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The file with the state.
    #[must_use]
    pub fn state(&self) -> PathBuf {
        self.path.join("checkpoints").join("training.vnp")
    }
}
