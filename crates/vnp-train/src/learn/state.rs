//! The saved state of a training: `OUT/checkpoints/training.vnp`.

mod contents;
mod metadata;

use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Limits};
use vnp_escape::escaped_path;
use vnp_job::{BadFile, JobDirectory, OnBadFile, quarantine, record_failures};

use crate::error::Error;
use crate::event::Event;
use crate::identity::Identity;
use crate::job::STATE;
use crate::learn::parameters::Parameters;
use crate::learn::progress::Progress;
use crate::learn::schedule::Schedule;
use crate::session::Session;

/// The kind of the checkpoint.
const KIND: &str = "training";

/// The progress to resume from, with the parameters restored; `None` for a training that
/// begins.
pub(crate) fn open(
    session: &Session<'_>,
    schedule: &Schedule,
    parameters: &mut Parameters,
) -> Result<Option<Progress>, Error> {
    let path = path(session.directory);
    if !path.try_exists()? {
        return Ok(None);
    }
    match load(&path, session.identity, schedule, parameters) {
        Err(Error::BadState { path, reason }) => {
            let bad = BadFile { path: path.clone(), reason: reason.clone() };
            record_failures(&session.directory.failed_checkpoints(), std::slice::from_ref(&bad));
            if session.on_bad_state == OnBadFile::Refuse {
                return Err(Error::BadState { path, reason });
            }
            let moved = quarantine(&path)?;
            log::warn!("{bad}; quarantined as {}, training begins again", escaped_path(&moved));
            Ok(None)
        }
        loaded => loaded.map(Some),
    }
}

/// Saves the whole state; after `Ok` it survives a loss of power.
pub(crate) fn save(
    session: &Session<'_>,
    schedule: &Schedule,
    progress: &Progress,
    parameters: &Parameters,
) -> Result<(), Error> {
    let path = path(session.directory);
    let builder = Checkpoint::builder(KIND);
    let builder = contents::add(builder, schedule, progress, &parameters.snapshot()?)?;
    let builder = metadata::add(builder, session.identity, progress);
    session.directory.check_lock()?;
    vnp_ckpt::atomic_save(&path, &builder.build()?)?;
    (session.observer)(Event::Saved(&path));
    Ok(())
}

fn load(
    path: &Path,
    identity: &Identity,
    schedule: &Schedule,
    parameters: &mut Parameters,
) -> Result<Progress, Error> {
    let bad = |reason| Error::BadState { path: path.to_owned(), reason };
    let found = vnp_ckpt::load_with_compatibility(path, &Limits::default());
    let checkpoint = match found {
        Err(error) if error.is_corrupted() || error.is_incompatible() => {
            return Err(bad(error.kind().to_string()));
        }
        found => found?,
    };
    if checkpoint.kind() != KIND {
        return Err(bad(format!("kind: expected {KIND}, found {}", checkpoint.kind())));
    }
    let old = metadata::identity(&checkpoint).map_err(bad)?;
    let differences = identity.differences(&old);
    if !differences.is_empty() {
        return Err(vnp_job::Error::OtherIdentity { path: path.to_owned(), differences }.into());
    }
    let fresh = Progress::new(schedule, parameters)?;
    let (saved, mut progress) = contents::take(&checkpoint, schedule, fresh).map_err(bad)?;
    metadata::take(&checkpoint, &mut progress).map_err(bad)?;
    parameters.restore(&saved)?;
    Ok(progress)
}

/// The file with the state.
fn path(directory: &JobDirectory) -> PathBuf {
    directory.checkpoints().join(STATE)
}

#[cfg(test)]
mod tests;
