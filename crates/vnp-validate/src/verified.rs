//! A validated checkpoint as a type, and the function that returns one.

use std::path::{Path, PathBuf};

use vnp_ckpt::Checkpoint;

use crate::check::{self, Purpose};
use crate::error::Error;
use crate::level::Level;
use crate::options::Options;
use crate::report::Report;

/// A checkpoint in which [`verify`] found nothing wrong. Only that function creates one.
#[derive(Clone, Debug)]
pub struct Verified {
    path: PathBuf,
    level: Level,
    checkpoint: Checkpoint,
}

impl Verified {
    /// The file it was read from.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last level that was inspected.
    #[must_use]
    pub fn level(&self) -> Level {
        self.level
    }

    /// The checkpoint.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The checkpoint itself.
    #[must_use]
    pub fn into_checkpoint(self) -> Checkpoint {
        self.checkpoint
    }
}

/// Loads a checkpoint and validates it, at least to [`Level::Load`]. The validated bytes are the ones
/// returned: the file is read once.
///
/// ```
/// use vnp_ckpt::{Checkpoint, atomic_save};
/// use vnp_validate::{Options, verify};
///
/// # let directory = tempfile::tempdir().unwrap();
/// # let path = directory.path().join("part.vnp");
/// atomic_save(&path, &Checkpoint::builder("scores").build().unwrap()).unwrap();
/// match verify(&path, &Options::default())? {
///     Ok(verified) => assert_eq!(verified.checkpoint().kind(), "scores"),
///     Err(report) => panic!("{}", report.reason()),
/// }
/// # Ok::<(), vnp_validate::Error>(())
/// ```
///
/// # Errors
/// The outer error is that of [`validate_checkpoint`](crate::validate_checkpoint): the file could not be
/// inspected. The inner one is the report on a bad file.
pub fn verify(path: &Path, options: &Options) -> Result<Result<Verified, Report>, Error> {
    let level = options.level.max(Level::Load);
    Ok(match check::inspect(path, options, level, Purpose::Checkpoint)? {
        (Report { path, level, .. }, Some(checkpoint)) => Ok(Verified { path, level, checkpoint }),
        (report, None) => Err(report),
    })
}
