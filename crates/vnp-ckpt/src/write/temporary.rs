//! A file on its way to its name: written beside it, brought to disk, renamed.

use std::fs::{DirBuilder, File, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::flush::Flush;
use crate::Error;

/// How the temporary directories start; older releases used a crate that named them so.
pub(crate) const PREFIX: &str = ".atomicwrite";

/// How many letters and digits follow.
pub(crate) const RANDOM_CHARS: usize = 6;

/// The file in such a directory.
pub(crate) const FILE: &str = "tmpfile.tmp";

/// How often another name is tried when one is taken.
const ATTEMPTS: usize = 100;

/// A file that nobody knows yet. Dropped without [`commit`](Self::commit) it leaves nothing.
#[derive(Debug)]
pub(crate) struct Temporary {
    // In this order: all is closed before the directory goes.
    file: File,
    flush: Flush,
    directory: Directory,
    target: PathBuf,
}

impl Temporary {
    /// Starts an empty file that is to be `target`.
    pub(crate) fn create(target: &Path) -> Result<Self, Error> {
        Self::beside(target).map_err(|source| not_committed(target, source))
    }

    fn beside(target: &Path) -> io::Result<Self> {
        if target.file_name().is_none() {
            let reason = "the path has no file name";
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let directory = Directory::create(parent_of(target))?;
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true);
        let file = options.open(directory.path.join(FILE))?;
        let flush = Flush::default();
        Ok(Self { file, flush, directory, target: target.to_owned() })
    }

    /// The file, empty and open for both reading and writing.
    pub(crate) fn file_mut(&mut self) -> &mut File {
        &mut self.file
    }

    /// To be told how much was written, from time to time.
    pub(crate) fn wrote(&mut self, bytes: u64) -> io::Result<()> {
        self.flush.wrote(&self.file, bytes)
    }

    /// What the file is to be.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Brings the file to disk while `verify` reads it, renames it, and brings the directory to
    /// disk.
    pub(crate) fn commit(
        self,
        verify: impl Fn(&File) -> io::Result<()> + Sync,
    ) -> Result<(), Error> {
        let Self { file, mut flush, directory, target } = self;
        let not_committed = |source| not_committed(&target, source);
        let synced = sync_and_verify(&file, verify);
        flush.finish().and(synced).map_err(not_committed)?;
        // Opened before there is anything to be uncertain about.
        let own = sync_handle(&directory.path).map_err(not_committed)?;
        let parent = sync_handle(parent_of(&target)).map_err(not_committed)?;
        match std::fs::rename(directory.path.join(FILE), &target) {
            Ok(()) => {}
            // A network file system may have done it and lost the answer.
            Err(source) if is_at(&file, &target) => {
                return Err(Error::DurabilityUncertain { path: target, source });
            }
            Err(source) => return Err(not_committed(source)),
        }
        let synced = [own, parent].iter().flatten().try_for_each(File::sync_all);
        synced.map_err(|source| Error::DurabilityUncertain { path: target, source })
    }
}

/// That nothing was saved.
pub(crate) fn not_committed(target: &Path, source: io::Error) -> Error {
    Error::NotCommitted { path: target.to_owned(), source }
}

/// The disk has to work for the one and a processor for the other.
fn sync_and_verify(file: &File, verify: impl Fn(&File) -> io::Result<()> + Sync) -> io::Result<()> {
    thread::scope(|scope| {
        let reader = thread::Builder::new().spawn_scoped(scope, || verify(file));
        let synced = file.sync_all();
        let verified = match reader {
            Ok(reader) => {
                let died = |_| Err(io::Error::other("reading back panicked"));
                reader.join().unwrap_or_else(died)
            }
            Err(_) => verify(file),
        };
        synced.and(verified)
    })
}

fn parent_of(target: &Path) -> &Path {
    match target.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}

/// What syncing a directory takes, where that can be done at all.
#[cfg(unix)]
fn sync_handle(directory: &Path) -> io::Result<Option<File>> {
    File::open(directory).map(Some)
}

#[cfg(not(unix))]
fn sync_handle(_directory: &Path) -> io::Result<Option<File>> {
    Ok(None)
}

/// Whether `path` leads to this very file, which is open, so that no other can have its number.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let identity = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::symlink_metadata(path)) {
        (Ok(own), Ok(found)) => identity(own) == identity(found),
        _ => false,
    }
}

#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    false
}

/// A directory of our own, gone with whatever is in it when it is dropped.
#[derive(Debug)]
struct Directory {
    path: PathBuf,
}

impl Directory {
    fn create(parent: &Path) -> io::Result<Self> {
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let mut result = Err(io::ErrorKind::AlreadyExists.into());
        for _ in 0..ATTEMPTS {
            let path = parent.join(random_name());
            result = builder.create(&path).map(|()| Self { path });
            match &result {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                _ => break,
            }
        }
        result
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // What stays is swept later.
        let _ = std::fs::remove_file(self.path.join(FILE));
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// Not a secret: only not what another writer has just taken.
fn random_name() -> String {
    const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut number = RandomState::new().build_hasher().finish();
    let random = (0..RANDOM_CHARS).filter_map(|_| {
        let place = number % LETTERS.len() as u64;
        number /= LETTERS.len() as u64;
        LETTERS.get(place as usize).copied().map(char::from)
    });
    PREFIX.chars().chain(random).collect()
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

    #[test]
    fn what_is_not_committed_leaves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("a.vnp");
        let entries = || fs::read_dir(directory.path()).unwrap().count();
        let temporary = Temporary::create(&target).unwrap();
        assert_eq!(entries(), 1);
        drop(temporary);
        assert_eq!(entries(), 0);
        let refused = Temporary::create(&target).unwrap().commit(|_| Err(io::Error::other("bad")));
        let Err(Error::NotCommitted { path, source }) = refused else { panic!("{refused:?}") };
        assert_eq!((path.as_path(), source.to_string().as_str()), (target.as_path(), "bad"));
        assert_eq!(entries(), 0);
        Temporary::create(&target).unwrap().commit(|_| Ok(())).unwrap();
        assert!(target.is_file());
        assert_eq!(entries(), 1);
    }

    #[test]
    fn a_reader_that_panics_saves_nothing() {
        let directory = tempfile::tempdir().unwrap();
        let target = directory.path().join("a.vnp");
        let refused = Temporary::create(&target).unwrap().commit(|_| panic!("while reading"));
        let Err(Error::NotCommitted { .. }) = refused else { panic!("{refused:?}") };
        assert!(!target.exists());
    }

    #[test]
    fn names_are_swept() {
        let names: Vec<_> = (0..100).map(|_| random_name()).collect();
        assert!(names.iter().all(|name| super::super::sweep::is_temporary(name)), "{names:?}");
        assert!(names.iter().collect::<std::collections::BTreeSet<_>>().len() > 90);
    }
}
