//! The saved state of a training: `OUT/checkpoints/training.vnp`.

mod contents;
mod metadata;

use std::path::{Path, PathBuf};

use vnp_ckpt::{Checkpoint, Limits};

use crate::error::Error;
use crate::identity::Identity;
use crate::learn::parameters::Parameters;
use crate::learn::progress::Progress;
use crate::learn::schedule::Schedule;
use crate::observer::Event;
use crate::session::{Session, Start};

/// The kind of the checkpoint.
const KIND: &str = "training";

/// The progress to resume from, with the parameters restored; `None` for a training that
/// begins.
pub(crate) fn open(
    session: &Session<'_>,
    schedule: &Schedule,
    parameters: &mut Parameters,
) -> Result<Option<Progress>, Error> {
    let path = session.directory.state();
    if !path.try_exists()? {
        return Ok(None);
    }
    if session.start == Start::New {
        return Err(Error::TrainingExists { path });
    }
    match load(&path, session.identity, schedule, parameters) {
        Err(Error::BadState { reason, .. }) if session.start == Start::ForceResume => {
            let quarantined = quarantine(&path)?;
            log::warn!(
                "{}: {reason}; quarantined as {}, training begins again",
                path.display(),
                quarantined.display()
            );
            session.observer.event(Event::Quarantined(&quarantined));
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
    let path = session.directory.state();
    let builder = Checkpoint::builder(KIND);
    let builder = contents::add(builder, schedule, progress, &parameters.snapshot()?)?;
    let builder = metadata::add(builder, session.identity, progress);
    vnp_ckpt::atomic_save(&path, &builder.build()?)?;
    session.observer.event(Event::Saved(&path));
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
        return Err(Error::OtherIdentity { path: path.to_owned(), differences });
    }
    let fresh = Progress::new(schedule, parameters)?;
    let (saved, mut progress) = contents::take(&checkpoint, schedule, fresh).map_err(bad)?;
    metadata::take(&checkpoint, &mut progress).map_err(bad)?;
    parameters.restore(&saved)?;
    Ok(progress)
}

/// Renames a state to `training.vnp.bad`, or `training.vnp.2.bad` and so on.
fn quarantine(path: &Path) -> Result<PathBuf, Error> {
    let named = |number: u32| {
        let mut name = path.as_os_str().to_owned();
        if number > 1 {
            name.push(format!(".{number}"));
        }
        name.push(".bad");
        PathBuf::from(name)
    };
    let free = (1..u32::MAX).map(named).find(|name| !name.exists()).unwrap_or_else(|| named(1));
    fs_err::rename(path, &free)?;
    Ok(free)
}

#[cfg(test)]
mod tests;
