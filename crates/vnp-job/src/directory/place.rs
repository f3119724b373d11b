//! Refuses to write through what somebody else put into a directory: links to other places, pipes, devices.

use std::path::{Path, PathBuf};

use vnp_escape::FileKind;

use crate::error::Error;
use crate::publish::is_special;

/// Refuses a symbolic link where a job writes or removes files in a directory.
///
/// # Errors
/// [`Error::NotAPlace`]
pub fn refuse_link(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata() {
        Ok(found) if found.is_symlink() => Err(not_a_place(path, FileKind::Link)),
        _ => Ok(()),
    }
}

/// Refuses what cannot be replaced by a file: anything but a regular file, or a link to one, whose name
/// alone is replaced.
pub(super) fn refuse_special(path: &Path) -> Result<(), Error> {
    match is_special(path) {
        // By what a link leads to, which is not replaced.
        true => Err(not_a_place(
            path,
            path.metadata().map_or(FileKind::Link, |found| FileKind::of(found.file_type())),
        )),
        false => Ok(()),
    }
}

/// Refuses what cannot be appended to: anything but a regular file, links too.
pub(super) fn refuse_all_but_a_file(path: &Path) -> Result<(), Error> {
    match path.symlink_metadata().map(|found| FileKind::of(found.file_type())) {
        Err(_) | Ok(FileKind::File) => Ok(()),
        Ok(kind) => Err(not_a_place(path, kind)),
    }
}

fn not_a_place(path: &Path, found: FileKind) -> Error {
    Error::NotAPlace { path: PathBuf::from(path), found: found.name() }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use super::*;
    use crate::directory::JobDirectory;
    use crate::kind::{JobKind, Start};
    use crate::published_directory::PublishedDirectory;

    static KIND: JobKind = JobKind {
        name: "test",
        results: &["table.tsv"],
        result_directories: &[PublishedDirectory {
            name: "bundle",
            is_ours: |_| true,
            owns: |_| true,
        }],
        stages: &["one", "two"],
        state: &[],
        temporaries: &[],
        stranger: |_, _| None,
    };

    /// Whether a directory with a link of this name to `elsewhere` is refused, and nothing is written
    /// there.
    #[track_caller]
    fn check(link: &str, is_refused: bool) {
        let dir = tempfile::tempdir().unwrap();
        let (out, elsewhere) = (dir.path().join("out"), dir.path().join("elsewhere"));
        std::fs::create_dir(&elsewhere).unwrap();
        let link = out.join(link);
        std::fs::create_dir_all(link.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(&elsewhere, &link).unwrap();
        for start in [Start::Resume, Start::Again] {
            match JobDirectory::open(&out, &KIND, start, vec!["one"]) {
                Err(Error::NotAPlace { path, .. }) => assert!(is_refused && path == link),
                opened => assert!(opened.is_ok() && !is_refused, "{opened:?}"),
            }
        }
        assert_eq!(std::fs::read_dir(&elsewhere).unwrap().count(), 0);
    }

    #[test]
    fn no_link_within_a_directory_is_followed_to_write() {
        for link in [
            "checkpoints",
            "checkpoints/one",
            "checkpoints/two",
            "checkpoints/failed_checkpoints.txt",
            "bundle",
            // It leads to a directory.
            "table.tsv",
        ] {
            check(link, true);
        }
        check("notes", false);
    }

    #[test]
    fn a_directory_may_itself_be_a_link() {
        let dir = tempfile::tempdir().unwrap();
        let (real, link) = (dir.path().join("real"), dir.path().join("link"));
        std::fs::create_dir(&real).unwrap();
        std::os::unix::fs::symlink(&real, &link).unwrap();
        JobDirectory::open(&link, &KIND, Start::New, vec!["one"]).unwrap();
        assert!(real.join("checkpoints/one").is_dir());
        let Err(Error::NotAPlace { .. }) = refuse_link(&link) else { panic!("taken") };
    }

    #[test]
    fn a_result_that_is_a_link_to_a_file_is_replaced_not_followed() {
        let dir = tempfile::tempdir().unwrap();
        let (out, other) = (dir.path().join("out"), dir.path().join("other"));
        std::fs::create_dir(&out).unwrap();
        std::fs::write(&other, "theirs").unwrap();
        std::os::unix::fs::symlink(&other, out.join("table.tsv")).unwrap();
        let directory = JobDirectory::open(&out, &KIND, Start::Resume, vec!["one"]).unwrap();
        let table = crate::publish::Output::create(directory.result("table.tsv")).unwrap();
        table.finish().unwrap().publish().unwrap();
        assert_eq!(std::fs::read_to_string(&other).unwrap(), "theirs");
        assert!(!out.join("table.tsv").is_symlink());
    }
}
