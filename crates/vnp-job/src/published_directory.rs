//! A directory that a job publishes as a whole, and removes when it starts again.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;
use crate::files::entries;
use crate::publish::{UNPUBLISHED_NAME, parent};

/// A directory that a job publishes as a whole.
#[derive(Clone, Copy, Debug)]
pub struct PublishedDirectory {
    /// Its name below the job's directory.
    pub name: &'static str,
    /// Whether a directory of that name, which holds a file, is one that such a job wrote.
    pub is_ours: fn(&Path) -> bool,
    /// Whether such a job writes a file of this path below the directory.
    pub owns: fn(&Path) -> bool,
}

impl PublishedDirectory {
    /// Checks that everything in `path` was written by such a job; a missing directory is that too.
    ///
    /// # Errors
    /// [`Error::Foreign`] names the directory or the first file that was not.
    pub fn check(&self, path: &Path) -> Result<(), Error> {
        if path.symlink_metadata().is_ok_and(|metadata| !metadata.is_dir()) {
            return Err(foreign(path));
        }
        let files = files(path)?;
        if !files.is_empty() && !(self.is_ours)(path) {
            return Err(foreign(path));
        }
        let is_foreign = |file: &&PathBuf| !file.strip_prefix(path).is_ok_and(self.owns);
        match files.iter().find(is_foreign) {
            Some(file) => Err(foreign(file)),
            None => Ok(()),
        }
    }

    /// Removes the directory if everything in it was written by such a job: under another name first, so
    /// that a kill leaves no half of it under its own.
    ///
    /// # Errors
    /// As [`check`](Self::check); [`Error::Io`].
    pub fn remove(&self, path: &Path) -> Result<(), Error> {
        self.check(path)?;
        if !path.exists() {
            return Ok(());
        }
        let aside = UNPUBLISHED_NAME.directory(parent(path))?;
        fs_err::rename(path, aside.path().join("removed"))?;
        Ok(aside.close()?)
    }
}

fn foreign(path: &Path) -> Error {
    Error::Foreign { path: path.to_owned() }
}

/// Whether a file or directory is one that systems leave next to the files of others, and that holds nothing:
/// it goes with its directory.
fn is_side_file(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    matches!(&*name, ".DS_Store" | "Thumbs.db" | "desktop.ini" | "@eaDir")
        || ["._", ".nfs", ".fuse_hidden"].iter().any(|start| name.starts_with(start))
}

/// The files below a directory, links among them.
fn files(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut files = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(dir) = dirs.pop() {
        for path in entries(&dir)? {
            match fs_err::symlink_metadata(&path) {
                _ if is_side_file(&path) => {}
                Ok(metadata) if metadata.is_dir() => dirs.push(path),
                Ok(_) => files.push(path),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    files.sort();
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::*;

    static TABLES: PublishedDirectory = PublishedDirectory {
        name: "tables",
        is_ours: |path| path.join("tables.json").is_file(),
        owns: |file| [Path::new("tables.json"), Path::new("deep/a.tsv")].contains(&file),
    };

    #[test]
    fn only_a_directory_that_is_all_ours_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("tables");
        let check = |foreign: Option<&str>| {
            let removed = TABLES.remove(&path);
            match (removed, foreign) {
                (Ok(()), None) => assert!(!path.exists()),
                (Err(Error::Foreign { path: found }), Some(name)) => {
                    assert_eq!(found, path.join(name).components().collect::<PathBuf>());
                    assert!(path.exists());
                }
                (removed, _) => panic!("{removed:?}"),
            }
        };
        check(None);
        std::fs::create_dir_all(path.join("deep")).unwrap();
        check(None);
        std::fs::create_dir_all(path.join("deep")).unwrap();
        std::fs::write(path.join("deep/a.tsv"), "").unwrap();
        check(Some(""));
        std::fs::write(path.join("tables.json"), "").unwrap();
        std::fs::write(path.join("deep/notes.txt"), "").unwrap();
        check(Some("deep/notes.txt"));
        std::fs::remove_file(path.join("deep/notes.txt")).unwrap();
        check(None);
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
        std::fs::write(&path, "theirs").unwrap();
        check(Some(""));
    }
}
