//! The gate: whether a file's version is one that this crate reads.

use std::path::Path;

use crate::{Error, Version};

/// Lets `found` through, or refuses the file as too new.
///
/// Asked once for each file, from the first numbers in it, before anything else is read.
pub(crate) fn admit(path: &Path, found: Version) -> Result<Version, Error> {
    if found.is_too_new() {
        return Err(Error::TooNew { path: path.to_owned(), found, current: Version::CURRENT });
    }
    Ok(found)
}
