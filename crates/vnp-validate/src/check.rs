//! Inspecting one file, level by level, until a level has findings.

use std::io::ErrorKind;
use std::path::Path;
use vnp_escape::escaped_path;

use vnp_ckpt::{Checkpoint, CheckpointFile, Status};

use crate::error::Error;
use crate::failure_log;
use crate::finding::{Code, Finding, bounded};
use crate::level::Level;
use crate::options::Options;
use crate::report::Report;

mod contents;
mod keys;
mod reading;
mod tensors;

/// Inspects a file down to the level of the options.
///
/// ```
/// use vnp_validate::{Code, Options, validate_checkpoint};
///
/// let report = validate_checkpoint("no/such/part.vnp".as_ref(), &Options::default())?;
/// assert_eq!(report.findings[0].code, Code::Missing);
/// assert!(report.reason().starts_with("missing: file: expected a file, found nothing"));
/// # Ok::<(), vnp_validate::Error>(())
/// ```
///
/// # Errors
/// [`Error::CannotRead`] when the file cannot be inspected: no permission, a failing disk, no
/// memory. A missing file is a finding.
pub fn validate_checkpoint(path: &Path, options: &Options) -> Result<Report, Error> {
    let (report, _) = inspect(path, options, options.level, Purpose::Report)?;
    Ok(report)
}

/// The report, and the checkpoint if that is the purpose and nothing is wrong.
pub(crate) fn inspect(
    path: &Path,
    options: &Options,
    level: Level,
    purpose: Purpose,
) -> Result<(Report, Option<Checkpoint>), Error> {
    let mut report = Report::new(path);
    let checkpoint = inspect_levels(&mut report, options, level, purpose)?;
    record_failure(&report, options);
    Ok((report, checkpoint))
}

/// Why a file is inspected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// To report what is wrong: it is read in pieces.
    Report,
    /// To use the checkpoint if nothing is wrong: it is loaded.
    Checkpoint,
}

fn inspect_levels(
    report: &mut Report,
    options: &Options,
    level: Level,
    purpose: Purpose,
) -> Result<Option<Checkpoint>, Error> {
    let path = report.path.clone();
    check_size(report)?;
    if !enter(report, level, Level::Container) {
        return Ok(None);
    }
    let opened = Checkpoint::open(&path, &options.limits);
    let Some(mut file) = reading::value_or_finding(report, opened)? else {
        return Ok(None);
    };
    describe(report, &file);
    if !enter(report, level, Level::Digest) {
        return Ok(None);
    }
    // Loading compares the digests too: a pass for the digests alone is needed only at their level.
    if level == Level::Digest {
        let verified = file.verify();
        reading::value_or_finding(report, verified)?;
        return Ok(None);
    }
    enter(report, level, Level::Load);
    let (header, read) = match purpose {
        Purpose::Report => {
            let read = contents::scan(&mut file);
            (file.into_header(), read)
        }
        Purpose::Checkpoint => (file.header().clone(), contents::load(file)),
    };
    let Some(contents) = reading::value_or_finding(report, read)? else {
        return Ok(None);
    };
    if enter(report, level, Level::Keys) {
        keys::check(report, &header, options.schema.as_ref());
    }
    if enter(report, level, Level::Tensors) {
        tensors::check(report, &header, &contents, options.schema.as_ref());
    }
    Ok(contents.checkpoint.filter(|_| report.is_ok()))
}

/// Enters the next level if it was requested and nothing is wrong so far; returns whether it did.
fn enter(report: &mut Report, requested: Level, next: Level) -> bool {
    let enters = report.is_ok() && requested >= next;
    if enters {
        report.level = next;
    }
    enters
}

fn check_size(report: &mut Report) -> Result<(), Error> {
    let metadata = match fs_err::metadata(&report.path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            report.findings.push(Finding::new(Code::Missing, "file", "a file", "nothing"));
            return Ok(());
        }
        Err(source) => {
            let path = report.path.clone();
            let source = vnp_ckpt::ErrorKind::Io { source }.in_file(&path);
            return Err(Error::CannotRead { path, cause: Box::new(source) });
        }
    };
    if !metadata.is_file() {
        let found = if metadata.is_dir() { "a directory" } else { "a pipe or a device" };
        report.findings.push(Finding::new(Code::NotAFile, "file", "a regular file", found));
        return Ok(());
    }
    report.file_bytes = Some(metadata.len());
    if metadata.len() == 0 {
        report.findings.push(Finding::new(Code::Empty, "file", "a checkpoint", "0 bytes"));
    }
    Ok(())
}

fn describe(report: &mut Report, file: &CheckpointFile) {
    let header = file.header();
    report.version = Some(header.version.to_string());
    report.status = Some(header.status);
    report.kind = Some(bounded(header.kind.clone()));
    report.rows = Some(header.rows.len());
    report.integrity = Some(file.integrity());
    if header.status != Status::Complete {
        let (expected, found) = (Status::Complete.name(), Status::InProgress.name());
        report.findings.push(Finding::new(Code::NotComplete, "status", expected, found));
    }
}

/// Appends a bad file to the failure log of the options; that this fails is only a warning.
pub(crate) fn record_failure(report: &Report, options: &Options) {
    if !report.is_ok()
        && let Some(log) = &options.log_failures
        && let Err(error) = failure_log::log_failed_checkpoint(log, &report.path, &report.reason())
    {
        let path = escaped_path(&report.path);
        log::warn!("{path} is bad and could not be recorded: {error}");
    }
}
