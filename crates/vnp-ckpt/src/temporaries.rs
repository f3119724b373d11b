//! Files and directories under temporary names: locked while their process lives, removed when it is
//! interrupted, and swept later when it was killed.
//!
//! A temporary goes when it is dropped. A process that is about to end without that calls [`remove_all`].
//! After a kill it stays, and [`TemporaryName::sweep`] removes it: no process holds its lock any more.

pub(crate) mod name;
mod registry;
pub(crate) mod same_file;
mod sweep;

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile, TempDir};

use name::RANDOM_CHARS;
pub use name::TemporaryName;
use registry::hold;
pub use registry::{Registered, remove_all};
pub use sweep::{Unlockable, is_held};

/// Attempts to make a temporary that others sweep before it is locked.
const TRIES: usize = 16;

/// A directory under a temporary name, removed with everything in it when it is dropped.
#[derive(Debug)]
pub struct TemporaryDirectory {
    // In this order: the lock is closed before the directory goes.
    lock: File,
    directory: TempDir,
    _registered: Registered,
}

/// A file under a temporary name, removed when it is dropped.
#[derive(Debug)]
pub struct TemporaryFile {
    file: NamedTempFile,
    _registered: Registered,
}

impl TemporaryName {
    /// Makes and locks a directory in `parent`.
    ///
    /// # Errors
    /// Those of the system.
    pub fn directory(&self, parent: &Path) -> io::Result<TemporaryDirectory> {
        let mut tries = TRIES;
        loop {
            // What is made is registered in one step, and nothing is made once all were removed.
            let mut registry = hold();
            let mut builder = Builder::new();
            builder.prefix(self.prefix).rand_bytes(RANDOM_CHARS);
            let directory = builder.tempdir_in(parent)?;
            let path = directory.path().join(self.lock);
            let mut options = File::options();
            match options.read(true).write(true).create_new(true).open(&path) {
                Ok(lock) if sweep::lock(&lock, &path) => {
                    let path = directory.path().to_owned();
                    let registered = registry.add(move || sweep::remove_tree(&path));
                    return Ok(TemporaryDirectory { lock, directory, _registered: registered });
                }
                // Swept before it was locked.
                Ok(_) if tries > 0 => {}
                Err(error) if error.kind() == io::ErrorKind::NotFound && tries > 0 => {}
                Ok(_) => return Err(io::ErrorKind::WouldBlock.into()),
                Err(error) => return Err(error),
            }
            tries -= 1;
        }
    }

    /// Makes and locks a file in `parent`, with a Unix mode, of which the umask is taken.
    ///
    /// # Errors
    /// Those of the system.
    pub fn file(&self, parent: &Path, mode: u32) -> io::Result<TemporaryFile> {
        let mut builder = Builder::new();
        builder.prefix(self.prefix).rand_bytes(RANDOM_CHARS);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            builder.permissions(std::fs::Permissions::from_mode(mode));
        }
        #[cfg(not(unix))]
        let _ = mode;
        for _ in 0..TRIES {
            let mut registry = hold();
            let file = builder.tempfile_in(parent)?;
            if sweep::lock(file.as_file(), file.path()) {
                let path = file.path().to_owned();
                let registered = registry.add(move || drop(std::fs::remove_file(&path)));
                return Ok(TemporaryFile { file, _registered: registered });
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    /// Removes from `directory` what killed processes left under such names, and returns it. Links of
    /// such a name stay, and what a process has locked; `unlockable` says what becomes of the others on a
    /// file system without locks.
    ///
    /// # Errors
    /// That `directory` cannot be listed.
    pub fn sweep(&self, directory: &Path, unlockable: Unlockable) -> io::Result<Vec<PathBuf>> {
        sweep::sweep(*self, directory, unlockable)
    }
}

impl TemporaryDirectory {
    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Removes the directory now, with an error if that fails.
    ///
    /// # Errors
    /// Those of the system.
    pub fn close(self) -> io::Result<()> {
        let Self { lock, directory, _registered } = self;
        drop(lock);
        directory.close()
    }

    /// The locked file in it, open for reading and writing.
    pub(crate) fn lock(&self) -> &File {
        &self.lock
    }

    /// The same, to be written.
    pub(crate) fn lock_mut(&mut self) -> &mut File {
        &mut self.lock
    }

    /// Gives what lies under `name` in the directory its final name, and removes the directory.
    ///
    /// # Errors
    /// Those of the system.
    pub fn publish(self, name: &str, path: &Path) -> io::Result<()> {
        self.rename(name, path, |from, to| fs_err::rename(from, to))
    }

    /// The same without the removal, by a function that renames.
    pub(crate) fn rename(
        &self,
        name: &str,
        path: &Path,
        rename: impl FnOnce(&Path, &Path) -> io::Result<()>,
    ) -> io::Result<()> {
        let _registry = hold();
        rename(&self.path().join(name), path)
    }
}

impl TemporaryFile {
    /// The file's temporary path.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.file.path()
    }

    /// The open file.
    #[must_use]
    pub fn as_file(&self) -> &File {
        self.file.as_file()
    }

    /// Gives the file its final name, in place of an earlier one.
    ///
    /// # Errors
    /// Those of the system; the file is removed then.
    pub fn persist(self, path: &Path) -> io::Result<()> {
        let registry = hold();
        let renamed = self.file.persist(path);
        drop(registry);
        renamed.map(drop).map_err(|error| error.error)
    }
}

impl Write for TemporaryFile {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        self.file.write(buffer)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
