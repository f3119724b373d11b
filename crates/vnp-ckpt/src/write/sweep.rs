//! Removal of the temporary directories that killed writers left behind.

use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::temporaries::Unlockable;
use crate::temporaries::name::SAVES;

/// Removes the temporary directories that savers to `directory` left when they were killed, and
/// returns them.
///
/// **Only under the run's lock:** where the file system has no locks, a saver that is still at work would
/// lose its file, and its save would fail; elsewhere its directory stays. Only directories that [`atomic_save`](crate::atomic_save) makes are removed: real directories
/// of that name, with the one file in it or none. Anything else stays, with a warning in the log.
///
/// # Errors
/// [`ErrorKind::Io`] when `directory` cannot be listed.
pub fn sweep_stale_temporaries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    sweep(directory, Unlockable::Goes)
}

/// The same in a directory that others may work in: what cannot be locked stays.
///
/// # Errors
/// [`ErrorKind::Io`] when `directory` cannot be listed.
pub fn sweep_abandoned_temporaries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    sweep(directory, Unlockable::Stays)
}

fn sweep(directory: &Path, unlockable: Unlockable) -> Result<Vec<PathBuf>, Error> {
    let io = |source| ErrorKind::Io { source }.in_file(directory);
    SAVES.sweep(directory, unlockable).map_err(io)
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[test]
    fn only_what_a_saver_made_is_removed() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at(".atomicwriteempty0")).unwrap();
        fs::create_dir(at(".atomicwriteAAAAAA")).unwrap();
        fs::write(at(".atomicwriteAAAAAA/tmpfile.tmp"), b"half").unwrap();
        fs::create_dir(at(".atomicwriteforegn")).unwrap();
        fs::write(at(".atomicwriteforegn/notes.txt"), b"mine").unwrap();
        fs::write(at(".atomicwritefileee"), b"a file").unwrap();
        fs::write(at("part.vnp"), b"a part").unwrap();

        let removed = sweep_stale_temporaries(directory.path()).unwrap();
        assert_eq!(removed, [at(".atomicwriteAAAAAA"), at(".atomicwriteempty0")]);
        assert!(at(".atomicwriteforegn/notes.txt").exists());
        assert!(at(".atomicwritefileee").exists() && at("part.vnp").exists());
        assert!(sweep_stale_temporaries(directory.path()).unwrap().is_empty());
    }

    #[test]
    fn a_directory_that_cannot_be_listed_is_an_error() {
        let missing = Path::new("/nonexistent/vnp");
        let error = sweep_stale_temporaries(missing).unwrap_err();
        let ErrorKind::Io { .. } = error.kind() else { panic!("{error:?}") };
        assert_eq!(error.path(), Some(missing));
    }
}
