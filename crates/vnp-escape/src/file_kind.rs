//! What a path leads to, in the words of messages.

use std::fs::FileType;

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link, if it was not followed.
    Link,
    /// A named pipe.
    Pipe,
    /// A socket.
    Socket,
    /// A terminal, a disk, `/dev/null`.
    Device,
    /// Something that only this system has.
    Other,
}

impl FileKind {
    /// The kind of a file of this type.
    #[must_use]
    pub fn of(found: FileType) -> Self {
        if found.is_file() {
            Self::File
        } else if found.is_dir() {
            Self::Directory
        } else if found.is_symlink() {
            Self::Link
        } else {
            Self::special(found)
        }
    }

    #[cfg(unix)]
    fn special(found: FileType) -> Self {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_fifo() {
            Self::Pipe
        } else if found.is_socket() {
            Self::Socket
        } else if found.is_char_device() || found.is_block_device() {
            Self::Device
        } else {
            Self::Other
        }
    }

    #[cfg(not(unix))]
    fn special(_: FileType) -> Self {
        Self::Other
    }

    /// Its name with an article, to stand behind "is".
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::File => "a regular file",
            Self::Directory => "a directory",
            Self::Link => "a symbolic link",
            Self::Pipe => "a pipe",
            Self::Socket => "a socket",
            Self::Device => "a device",
            Self::Other => "a special file",
        }
    }
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;
    use std::path::Path;
    use std::process::Command;

    use super::*;

    #[test]
    fn every_kind_has_its_name() {
        let dir = std::env::temp_dir().join(format!("vnp-file-kind-{}", std::process::id()));
        std::fs::create_dir_all(&dir).unwrap();
        let at = |name: &str| dir.join(name);
        std::fs::write(at("file"), "").unwrap();
        symlink("file", at("link")).unwrap();
        let _listener = UnixListener::bind(at("socket")).unwrap();
        assert!(Command::new("mkfifo").arg(at("pipe")).status().unwrap().success());
        let check = |path: &Path, expected: FileKind, name: &str| {
            let found = FileKind::of(path.symlink_metadata().unwrap().file_type());
            assert_eq!((found, found.name()), (expected, name), "{}", path.display());
        };
        check(&at("file"), FileKind::File, "a regular file");
        check(&dir, FileKind::Directory, "a directory");
        check(&at("link"), FileKind::Link, "a symbolic link");
        check(&at("pipe"), FileKind::Pipe, "a pipe");
        check(&at("socket"), FileKind::Socket, "a socket");
        check(Path::new("/dev/null"), FileKind::Device, "a device");
        std::fs::remove_dir_all(dir).unwrap();
    }
}
