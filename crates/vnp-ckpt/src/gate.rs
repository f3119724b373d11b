//! The gate: whether this crate reads a file's version.

use crate::error::kind::ErrorKind;
use crate::version::Version;

/// Admits a version, or refuses it as too new.
///
/// Called once per file, with the first numbers in it, before anything else is read.
pub(crate) fn admit(found: Version) -> Result<Version, ErrorKind> {
    if found.is_too_new() {
        return Err(ErrorKind::TooNew { found, current: Version::CURRENT });
    }
    Ok(found)
}
