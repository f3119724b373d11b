//! The mark that a run replaces an earlier output: a run that starts again sets it, and the session that
//! goes on with that run finds it.
//!
//! The earlier output stays until the new one is complete. To a later session it would be the output of
//! another run, which is refused, if nothing said that it is to be replaced.

use vnp_job::JobDirectory;
use vnp_job::publish::sync_directory;

use crate::error::Error;

/// The name of the mark, in the directory of the parts.
pub(super) const MARK: &str = "replaces-output";

/// Sets the mark, durably.
pub(super) fn allow(directory: &JobDirectory) -> Result<(), Error> {
    let text = "the output of an earlier run is replaced when this one is complete\n";
    fs_err::write(directory.checkpoints().join(MARK), text)?;
    Ok(sync_directory(directory.checkpoints())?)
}

/// Whether the mark is set.
pub(super) fn is_allowed(directory: &JobDirectory) -> bool {
    directory.checkpoints().join(MARK).is_file()
}
