//! Bad files: reported, recorded, and moved out of the way, never deleted.

use std::path::{Path, PathBuf};

use vnp_validate::FailedCheckpoint;

use crate::bad_file::BadFile;
use crate::error::Error;

/// How the name of a quarantined file ends.
pub const QUARANTINED: &str = ".bad";

/// Renames a bad file to `NAME.bad`, or to `NAME.2.bad` and so on where that name is taken, and
/// returns the new path: its work can be computed again, and the file can still be inspected.
///
/// # Errors
/// [`Error::Io`]
pub fn quarantine(path: &Path) -> Result<PathBuf, Error> {
    let named = |number| quarantined_name(path, number);
    let free = (1..u32::MAX).map(named).find(|name| !name.exists()).unwrap_or_else(|| named(1));
    fs_err::rename(path, &free)?;
    Ok(free)
}

/// The `number`th name, from 1 on, that a quarantined file may get.
pub(crate) fn quarantined_name(path: &Path, number: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    if number > 1 {
        name.push(format!(".{number}"));
    }
    name.push(QUARANTINED);
    PathBuf::from(name)
}

/// Appends bad files to the failure log at `log`, each once for as long as it stays as it is: the
/// job that refuses a file and the one that passes over it report the same failure. A log that
/// cannot be written is not a reason to fail.
pub fn record_failures(log: &Path, bad: &[BadFile]) {
    if bad.is_empty() {
        return;
    }
    let known = vnp_validate::load_failed_checkpoints(log).unwrap_or_default();
    for file in bad.iter().filter(|file| !is_recorded(file, &known)) {
        if let Err(error) = vnp_validate::log_failed_checkpoint(log, &file.path, &file.reason) {
            log::warn!("cannot record the failed checkpoint: {error}");
        }
    }
}

/// Whether this failure was recorded after the file was last changed.
fn is_recorded(file: &BadFile, known: &[FailedCheckpoint]) -> bool {
    let changed = fs_err::metadata(&file.path).and_then(|metadata| metadata.modified());
    let Some(changed) = changed.ok().and_then(|time| jiff::Timestamp::try_from(time).ok()) else {
        return false;
    };
    known.iter().any(|known| {
        let recorded = known.timestamp.parse::<jiff::Timestamp>().map(|time| time.as_second());
        known.path == file.path
            && known.reason == file.reason
            && recorded.is_ok_and(|recorded| recorded >= changed.as_second())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_bad_file_gets_a_name_of_its_own() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.vnp");
        let names = [1, 2, 3].map(|number: u8| {
            std::fs::write(&path, [number]).unwrap();
            let moved = quarantine(&path).unwrap();
            assert_eq!(std::fs::read(&moved).unwrap(), [number]);
            moved.file_name().unwrap().to_owned()
        });
        assert_eq!(names, ["x.vnp.bad", "x.vnp.2.bad", "x.vnp.3.bad"]);
        assert!(!path.exists());
    }

    #[test]
    fn a_failure_is_recorded_once() {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("failed.txt");
        let path = dir.path().join("x.vnp");
        std::fs::write(&path, "x").unwrap();
        let bad = |reason: &str| [BadFile { path: path.clone(), reason: reason.to_owned() }];
        for reason in ["torn", "torn", "other"] {
            record_failures(&log, &bad(reason));
        }
        let recorded = vnp_validate::load_failed_checkpoints(&log).unwrap();
        let reasons: Vec<&str> = recorded.iter().map(|failure| failure.reason.as_str()).collect();
        assert_eq!(reasons, ["torn", "other"]);
    }
}
