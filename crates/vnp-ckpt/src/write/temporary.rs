//! A file on its way to its name: written next to it, brought to disk, renamed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;

use super::directory::{is_unsupported, warn_once};
use super::flush::Flush;
use crate::error::Error;
use crate::error::kind::ErrorKind;
use crate::temporaries::TemporaryDirectory;
use crate::temporaries::name::{SAVED_FILE, SAVES};
use crate::temporaries::same_file::is_at;

/// A file that no one knows yet. Dropped without [`commit`](Self::commit) it leaves nothing.
#[derive(Debug)]
pub(crate) struct Temporary {
    flush: Flush,
    directory: TemporaryDirectory,
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
        let directory = SAVES.directory(parent_of(target))?;
        let flush = Flush::default();
        Ok(Self { flush, directory, target: target.to_owned() })
    }

    /// The file, empty and open for both reading and writing.
    pub(crate) fn file_mut(&mut self) -> &mut File {
        self.directory.lock_mut()
    }

    /// Counts the bytes written; may start a sync. To be called after each large write.
    pub(crate) fn wrote(&mut self, bytes: u64) -> io::Result<()> {
        self.flush.wrote(self.directory.lock(), bytes)
    }

    /// The final path of the file.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    /// Brings the file to disk while `verify` reads it, renames it, and brings the directories to
    /// disk.
    pub(crate) fn commit(
        self,
        verify: impl Fn(&File) -> io::Result<()> + Sync,
    ) -> Result<(), Error> {
        let Self { mut flush, directory, target } = self;
        let file = directory.lock();
        let synced = sync_and_verify(file, verify);
        flush.finish().and(synced).map_err(|source| not_committed(&target, source))?;
        match directory.rename(SAVED_FILE, &target, atomicwrites::replace_atomic) {
            Ok(()) => Ok(()),
            // The rename was done if the final name leads to the file that was written; then it was
            // syncing a directory that failed.
            Err(source) if is_at(file, &target) => match is_unsupported(&source) {
                true => {
                    warn_once(parent_of(&target), &source);
                    Ok(())
                }
                false => Err(ErrorKind::DurabilityUncertain { source }.in_file(&target)),
            },
            Err(source) => Err(not_committed(&target, source)),
        }
    }
}

/// That nothing was saved.
pub(crate) fn not_committed(target: &Path, source: io::Error) -> Error {
    ErrorKind::NotCommitted { source }.in_file(target)
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

#[cfg(test)]
mod tests {
    use fs_err as fs;

    use super::*;

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
        let refused = refused.unwrap_err();
        let ErrorKind::NotCommitted { source } = refused.kind() else { panic!("{refused:?}") };
        assert_eq!((refused.path(), source.to_string().as_str()), (Some(&*target), "bad"));
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
        let refused = refused.map_err(Error::into_kind);
        let Err(ErrorKind::NotCommitted { .. }) = refused else { panic!("{refused:?}") };
        assert!(!target.exists());
    }

    #[test]
    fn names_are_swept() {
        let directory = tempfile::tempdir().unwrap();
        let temporary = Temporary::create(&directory.path().join("a.vnp")).unwrap();
        let name = temporary.directory.path().file_name().unwrap().to_str().unwrap();
        assert!(SAVES.is_name(name), "{name}");
    }
}
