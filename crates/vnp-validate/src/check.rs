//! Looking at one file, level by level; the first level with a finding is the last.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use vnp_ckpt::{Checkpoint, CheckpointFile, Encoding, Status};

use crate::{Code, Error, Finding, Level, Options, Report, failure_log};

mod keys;
mod reading;
mod tensors;

/// Looks at a file down to the level of the options.
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
/// [`Error::CannotRead`] when the file cannot be looked at: no permission, a failing disk, no
/// memory. A file that is not there is a finding.
pub fn validate_checkpoint(path: &Path, options: &Options) -> Result<Report, Error> {
    let (report, _) = look(path, options, options.level, Want::Report)?;
    Ok(report)
}

/// The report, and the checkpoint where it is wanted and nothing is wrong.
pub(crate) fn look(
    path: &Path,
    options: &Options,
    level: Level,
    want: Want,
) -> Result<(Report, Option<Checkpoint>), Error> {
    let mut report = Report::new(path);
    let checkpoint = levels(&mut report, options, level, want)?;
    if !report.is_ok() {
        record(&report, options);
    }
    Ok((report, checkpoint))
}

/// What looking at a file is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Want {
    /// To know what is wrong with it: it is read a piece at a time.
    Report,
    /// To use it, if nothing is.
    Checkpoint,
}

/// What was learned of the payloads.
#[derive(Debug, Default)]
struct Contents {
    ids: usize,
    /// By tensor: the place of its first element that is not finite.
    non_finite: BTreeMap<String, usize>,
    checkpoint: Option<Checkpoint>,
}

fn levels(
    report: &mut Report,
    options: &Options,
    level: Level,
    want: Want,
) -> Result<Option<Checkpoint>, Error> {
    let path = report.path.clone();
    size(report)?;
    if !go_on(report, level, Level::Container) {
        return Ok(None);
    }
    let opened = Checkpoint::open(&path, &options.limits);
    let Some(mut file) = reading::sort(report, opened)? else {
        return Ok(None);
    };
    describe(report, &file);
    if !go_on(report, level, Level::Digest) {
        return Ok(None);
    }
    // Loading compares the digests on the way: they are read by themselves only to stop there.
    if level == Level::Digest {
        let verified = file.verify();
        reading::sort(report, verified)?;
        return Ok(None);
    }
    go_on(report, level, Level::Load);
    let header = file.header().clone();
    let read = match want {
        Want::Report => scan(file),
        Want::Checkpoint => load(file),
    };
    let Some(contents) = reading::sort(report, read)? else {
        return Ok(None);
    };
    if go_on(report, level, Level::Keys) {
        keys::check(report, &header, options.schema.as_ref());
    }
    if go_on(report, level, Level::Tensors) {
        tensors::check(report, &header, &contents, options.schema.as_ref());
    }
    Ok(contents.checkpoint.filter(|_| report.is_ok()))
}

/// Reads the payloads once, in bounded memory.
fn scan(mut file: CheckpointFile) -> Result<Contents, vnp_ckpt::Error> {
    let mut contents = Contents::default();
    let mut seen = BTreeMap::<String, usize>::new();
    let ids = file.scan(|section, bytes| {
        let Encoding::Tensor { dtype, .. } = &section.encoding else { return };
        let before = seen.entry(section.name.clone()).or_default();
        if let Some(place) = dtype.first_non_finite(bytes) {
            contents.non_finite.entry(section.name.clone()).or_insert(*before + place);
        }
        *before += bytes.len() / dtype.size_bytes();
    })?;
    contents.ids = ids.len();
    Ok(contents)
}

fn load(file: CheckpointFile) -> Result<Contents, vnp_ckpt::Error> {
    let checkpoint = file.load()?;
    let places = checkpoint
        .tensors()
        .filter_map(|(name, tensor)| Some((name.to_owned(), tensor.first_non_finite()?)));
    Ok(Contents {
        ids: checkpoint.ids().len(),
        non_finite: places.collect(),
        checkpoint: Some(checkpoint),
    })
}

/// Whether the next level is asked for and nothing stands in its way; notes it if so.
fn go_on(report: &mut Report, asked: Level, next: Level) -> bool {
    let on = report.is_ok() && asked >= next;
    if on {
        report.level = next;
    }
    on
}

fn size(report: &mut Report) -> Result<(), Error> {
    let metadata = match fs_err::metadata(&report.path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == ErrorKind::NotFound => {
            report.findings.push(Finding::new(Code::Missing, "file", "a file", "nothing"));
            return Ok(());
        }
        Err(source) => {
            let path = report.path.clone();
            let source = vnp_ckpt::Error::Io { path: path.clone(), source };
            return Err(Error::CannotRead { path, source: Box::new(source) });
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
    report.kind = Some(header.kind.clone());
    report.rows = Some(header.rows.len());
    report.integrity = Some(file.integrity());
    if header.status != Status::Complete {
        let (expected, found) = (Status::Complete.name(), Status::InProgress.name());
        report.findings.push(Finding::new(Code::NotComplete, "status", expected, found));
    }
}

fn record(report: &Report, options: &Options) {
    let Some(log) = &options.log_failures else {
        return;
    };
    if let Err(error) = failure_log::log_failed_checkpoint(log, &report.path, &report.reason()) {
        log::warn!("{} is bad and could not be recorded: {error}", report.path.display());
    }
}
