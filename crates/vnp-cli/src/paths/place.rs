//! Where a path leads: two names of one file are one place, also while it does not exist yet.

use std::fs::Metadata;
use std::path::{Path, PathBuf};

/// Links to nothing that are followed.
const LINKS: usize = 40;

/// Where a path leads.
#[derive(Debug)]
pub(crate) struct Place {
    /// Free of links, as far as it exists.
    path: PathBuf,
    /// The device and number of the file, where there is one.
    identity: Option<(u64, u64)>,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    File,
    Directory,
    /// A pipe, a block device.
    Special,
    /// A terminal, a socket or `/dev/null`: what is written is not what is read.
    Shared,
    Missing,
}

impl Place {
    /// Where a path leads.
    pub(crate) fn of(path: &Path) -> Self {
        Self::with(resolved(path, LINKS), std::fs::metadata(path).ok())
    }

    /// What standard input is.
    pub(crate) fn of_stdin() -> Self {
        #[cfg(unix)]
        {
            use std::os::fd::AsFd;
            let own = std::io::stdin().as_fd().try_clone_to_owned();
            let metadata = own.ok().and_then(|own| std::fs::File::from(own).metadata().ok());
            Self::with(PathBuf::new(), metadata)
        }
        #[cfg(not(unix))]
        Self::with(PathBuf::new(), None)
    }

    fn with(path: PathBuf, metadata: Option<Metadata>) -> Self {
        let kind = metadata.as_ref().map_or(Kind::Missing, kind);
        Self { path, identity: metadata.as_ref().and_then(identity), kind }
    }

    /// Whether both are one file or directory.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        if self.kind == Kind::Shared || other.kind == Kind::Shared {
            return false;
        }
        let is_known = !self.path.as_os_str().is_empty();
        is_known && self.path == other.path
            || self.identity.is_some() && self.identity == other.identity
    }

    /// Whether this lies below the other one.
    pub(crate) fn is_within(&self, other: &Self) -> bool {
        !other.path.as_os_str().is_empty()
            && self.path != other.path
            && self.path.starts_with(&other.path)
    }

    /// Whether it is a regular file that exists.
    pub(crate) fn is_file(&self) -> bool {
        self.kind == Kind::File
    }
}

/// The path without links: that of the file, or of the folder that it would be in.
fn resolved(path: &Path, links: usize) -> PathBuf {
    if let Ok(path) = std::fs::canonicalize(path) {
        return path;
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    if let Ok(target) = std::fs::read_link(path)
        && links > 0
    {
        return resolved(&folder.unwrap_or(Path::new(".")).join(target), links - 1);
    }
    match path.file_name() {
        Some(name) => resolved(folder.unwrap_or(Path::new(".")), links).join(name),
        None => path.to_owned(),
    }
}

fn kind(metadata: &Metadata) -> Kind {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if metadata.file_type().is_char_device() || metadata.file_type().is_socket() {
            return Kind::Shared;
        }
    }
    match (metadata.is_file(), metadata.is_dir()) {
        (true, _) => Kind::File,
        (_, true) => Kind::Directory,
        _ => Kind::Special,
    }
}

#[cfg(unix)]
fn identity(metadata: &Metadata) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt;
    // Some file systems in user space number no files.
    (metadata.ino() != 0).then(|| (metadata.dev(), metadata.ino()))
}

#[cfg(not(unix))]
fn identity(_metadata: &Metadata) -> Option<(u64, u64)> {
    None
}
