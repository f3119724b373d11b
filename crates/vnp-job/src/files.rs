//! Listing and removing files that may be absent.

use std::io;
use std::path::{Path, PathBuf};

use crate::error::Error;

/// The paths in a directory, sorted; none if there is no such directory.
///
/// # Errors
/// [`Error::Io`]
pub fn entries(dir: &Path) -> Result<Vec<PathBuf>, Error> {
    let listing = match fs_err::read_dir(dir) {
        Ok(listing) => listing,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error.into()),
    };
    let mut paths =
        listing.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>()?;
    paths.sort();
    Ok(paths)
}

/// Removes a file if it exists; a directory under that name is an error.
///
/// # Errors
/// [`Error::Io`]
pub fn remove_file_if_there(path: &Path) -> Result<(), Error> {
    unless_absent(fs_err::remove_file(path))
}

/// Removes a file, or a directory with all that it holds, if it exists.
///
/// # Errors
/// [`Error::Io`]
pub fn remove_if_there(path: &Path) -> Result<(), Error> {
    let removed = match path.is_dir() && !path.is_symlink() {
        true => fs_err::remove_dir_all(path),
        false => fs_err::remove_file(path),
    };
    unless_absent(removed)
}

fn unless_absent(removed: io::Result<()>) -> Result<(), Error> {
    match removed {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
        _ => Ok(()),
    }
}
