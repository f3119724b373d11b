//! The names that tables are about to get, saved before the first one gets its name: a session that is
//! killed before it records them leaves tables that a later one knows to be the run's.

use std::io;
use std::path::PathBuf;

use vnp_job::{JobDirectory, publish, remove_file_if_there};

use crate::error::Error;
use crate::names;

/// Saves the names, besides those of earlier sessions that did not finish.
pub(super) fn announce(directory: &JobDirectory, names: &[String]) -> Result<(), Error> {
    let mut all = announced(directory)?;
    all.extend_from_slice(names);
    all.sort();
    all.dedup();
    publish::text(&place(directory), &(all.join("\n") + "\n"))?;
    Ok(())
}

/// The names that sessions announced and `run.json` may not have; none where the last one finished.
pub(crate) fn announced(directory: &JobDirectory) -> Result<Vec<String>, Error> {
    match fs_err::read(place(directory)) {
        // Only names of ours count; other bytes are none.
        Ok(text) => Ok(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error.into()),
    }
}

/// Forgets the names, once `run.json` has those that stay and the others are removed.
pub(crate) fn withdraw(directory: &JobDirectory) -> Result<(), Error> {
    Ok(remove_file_if_there(&place(directory))?)
}

fn place(directory: &JobDirectory) -> PathBuf {
    directory.checkpoints().join(names::ANNOUNCED)
}
