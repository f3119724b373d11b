//! A checkpoint that was validated, as a type.

use std::path::{Path, PathBuf};

use vnp_ckpt::Checkpoint;

use crate::check::{self, Want};
use crate::{Error, Level, Options, Report};

/// A checkpoint that [`verify`] found nothing wrong with. Nothing else makes one.
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

    /// How closely it was looked at.
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

/// Loads a checkpoint and validates it: at least [`Level::Load`], further where the options say
/// so. What is validated is what is returned; the file is read once.
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
/// The outer one as [`validate_checkpoint`](crate::validate_checkpoint): could not look. The inner
/// one is the report on a file that is bad.
pub fn verify(path: &Path, options: &Options) -> Result<Result<Verified, Report>, Error> {
    let level = options.level.max(Level::Load);
    Ok(match check::look(path, options, level, Want::Checkpoint)? {
        (Report { path, level, .. }, Some(checkpoint)) => Ok(Verified { path, level, checkpoint }),
        (report, None) => Err(report),
    })
}
