//! Removal of the temporary directories that killed writers left behind.

use std::path::{Path, PathBuf};
use vnp_escape::escaped;

use fs_err as fs;

use super::temporary::{FILE, PREFIX, RANDOM_CHARS};
use crate::error::Error;
use crate::error::kind::ErrorKind;

/// Removes the temporary directories that savers to `directory` left when they were killed, and
/// returns them.
///
/// **Only under the run's lock:** a saver that is still at work would lose its file, and its save
/// would fail. Only directories that [`atomic_save`](crate::atomic_save) makes are removed: real directories
/// of that name, with the one file in it or none. Anything else stays, with a warning in the log.
///
/// # Errors
/// [`ErrorKind::Io`] when `directory` cannot be listed.
pub fn sweep_stale_temporaries(directory: &Path) -> Result<Vec<PathBuf>, Error> {
    let io = |source| ErrorKind::Io { source }.in_file(directory);
    let mut removed = Vec::new();
    for entry in std::fs::read_dir(directory).map_err(io)? {
        let entry = entry.map_err(io)?;
        let path = entry.path();
        // Not followed: a link of that name is nothing that a saver made.
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if !is_directory || !is_temporary(&entry.file_name().to_string_lossy()) {
            continue;
        }
        match remove(&path) {
            Ok(()) => removed.push(path),
            Err(error) => log::warn!("stale temporary stays: {}", escaped(error)),
        }
    }
    removed.sort();
    Ok(removed)
}

pub(super) fn is_temporary(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|random| {
        random.len() == RANDOM_CHARS && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

fn remove(directory: &Path) -> std::io::Result<()> {
    match fs::remove_file(directory.join(FILE)) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    fs::remove_dir(directory)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(name: &str, expected: bool) {
        assert_eq!(is_temporary(name), expected, "{name}");
    }

    #[test]
    fn names() {
        check(".atomicwriteAb09zZ", true);
        check(".atomicwrite", false);
        check(".atomicwriteAb09z", false);
        check(".atomicwriteAb09zZ7", false);
        check(".atomicwriteAb09z_", false);
        check("atomicwriteAb09zZ", false);
        check("part.vnp", false);
    }

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
