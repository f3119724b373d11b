//! Whether a path leads to a file that is open.

use std::fs::File;
use std::path::Path;

/// Whether `path` leads to this very file, which is open, so that no other can have its number.
#[cfg(unix)]
pub(crate) fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(own), Ok(found)) => identity(own) == identity(found),
        _ => false,
    }
}

#[cfg(not(unix))]
pub(crate) fn is_at(_file: &File, _path: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

    #[cfg(unix)]
    #[test]
    fn a_file_is_known_by_its_identity() {
        let directory = tempfile::tempdir().unwrap();
        let (temporary, target) = (directory.path().join("t"), directory.path().join("a.vnp"));
        fs::write(&target, b"new").unwrap();
        fs::write(&temporary, b"new").unwrap();
        let own = File::open(&temporary).unwrap();
        assert!(!is_at(&own, &target), "the same contents in another file");
        fs::rename(&temporary, &target).unwrap();
        assert!(is_at(&own, &target), "renamed");
        fs::remove_file(&target).unwrap();
        assert!(!is_at(&own, &target), "removed");
        fs::write(&target, b"new").unwrap();
        assert!(!is_at(&own, &target), "another file after it was removed");
    }
}
