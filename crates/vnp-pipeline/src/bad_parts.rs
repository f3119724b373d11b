//! Bad files of earlier sessions: refused, or moved out of the way so that their rows are computed again.

use vnp_escape::escaped_path;
use vnp_job::{BadFile, JobDirectory, OnBadFile, quarantine, record_failures};

use crate::error::Error;

/// Records bad files, and refuses or quarantines them, as the options say.
pub(crate) fn dispose(
    directory: &JobDirectory,
    files: Vec<BadFile>,
    on_bad_file: OnBadFile,
) -> Result<(), Error> {
    if files.is_empty() {
        return Ok(());
    }
    record_failures(&directory.failed_checkpoints(), &files);
    if on_bad_file == OnBadFile::Refuse {
        return Err(vnp_job::Error::BadParts { files }.into());
    }
    for file in &files {
        let moved = quarantine(&file.path)?;
        log::warn!("{file}; quarantined as {}, its rows are computed again", escaped_path(&moved));
    }
    Ok(())
}
