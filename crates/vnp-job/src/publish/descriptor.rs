//! Files that this process has open already, by the names that the system gives them: `/dev/stdout`,
//! `/dev/fd/63` of a shell's `>(…)`.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

/// Links that are followed to such a name.
const LINKS: usize = 40;

/// The open file that a path names, if it names one. It is written on where it stands: opened again, a
/// file that standard output was redirected to would be written from its beginning.
pub(super) fn open(path: &Path) -> io::Result<Option<File>> {
    let Some(number) = number(path) else { return Ok(None) };
    #[cfg(unix)]
    {
        use std::os::fd::AsFd;
        let own = match number {
            1 => Some(io::stdout().as_fd().try_clone_to_owned()?),
            2 => Some(io::stderr().as_fd().try_clone_to_owned()?),
            _ => None,
        };
        if let Some(own) = own {
            return Ok(Some(own.into()));
        }
    }
    let _ = number;
    OpenOptions::new().append(true).open(path).map(Some)
}

/// The number of the open file that a path names.
pub(super) fn number(path: &Path) -> Option<u32> {
    let mut path = path.to_owned();
    for _ in 0..LINKS {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        let folder = std::fs::canonicalize(folder.unwrap_or(Path::new("."))).ok()?;
        let name = path.file_name()?;
        if folder.ends_with("fd") && (folder.starts_with("/proc") || folder.starts_with("/dev")) {
            return name.to_str()?.parse().ok();
        }
        // Of a relative link the folder counts.
        path = folder.join(std::fs::read_link(folder.join(name)).ok()?);
    }
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn names_of_open_files_are_known_also_through_links() {
        let dir = tempfile::tempdir().unwrap();
        let link = dir.path().join("link");
        std::os::unix::fs::symlink("/dev/stdout", &link).unwrap();
        let further = dir.path().join("further");
        std::os::unix::fs::symlink("link", &further).unwrap();
        for (path, expected) in [
            ("/dev/stdout", Some(1)),
            ("/dev/stderr", Some(2)),
            ("/dev/fd/63", Some(63)),
            ("/proc/self/fd/1", Some(1)),
            (link.to_str().unwrap(), Some(1)),
            (further.to_str().unwrap(), Some(1)),
            ("/dev/null", None),
            ("/dev/fd/x", None),
            (dir.path().join("fd").to_str().unwrap(), None),
            ("none/x", None),
            ("", None),
        ] {
            assert_eq!(number(Path::new(path)), expected, "{path}");
        }
    }
}
