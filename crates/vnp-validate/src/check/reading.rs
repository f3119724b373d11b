//! Turns the reader's errors into findings, or into an error if the file could not be inspected.

use std::io;

use vnp_ckpt::{Error as Fault, ErrorKind};

use crate::error::Error;
use crate::finding::{Code, Finding};
use crate::level::Level;
use crate::report::Report;

/// The value that was read, or `None` and a finding in the report.
pub(crate) fn value_or_finding<T>(
    report: &mut Report,
    read: Result<T, Fault>,
) -> Result<Option<T>, Error> {
    match read {
        Ok(value) => Ok(Some(value)),
        Err(fault) => {
            if let ErrorKind::TooNew { found, .. } = fault.kind() {
                report.version = Some(found.to_string());
            }
            let finding = finding(report, fault)?;
            // Loading also compares digests, and opening a PyTorch file those of its pickle.
            if matches!(finding.code, Code::DigestMismatch | Code::CrcMismatch) {
                report.level = Level::Digest;
            }
            report.findings.push(finding);
            Ok(None)
        }
    }
}

fn finding(report: &Report, fault: Fault) -> Result<Finding, Error> {
    let bytes = |number: u64| format!("{number} bytes");
    Ok(match fault.into_kind() {
        // Removed since its size was taken.
        ErrorKind::Io { source, .. } if source.kind() == io::ErrorKind::NotFound => {
            Finding::new(Code::Missing, "file", "a file", "nothing")
        }
        ErrorKind::NotAFile => {
            Finding::new(Code::NotAFile, "file", "a regular file", "something else")
        }
        ErrorKind::NotACheckpoint { mistaken } => {
            let found = match mistaken {
                Some(mistaken) => format!("others ({})", mistaken.what),
                None => "others".to_owned(),
            };
            Finding::new(Code::NotACheckpoint, "file", "the first bytes of a checkpoint", found)
        }
        ErrorKind::TooNew { found, current, .. } => {
            Finding::new(Code::TooNew, "version", format!("at most {current}"), found.to_string())
        }
        ErrorKind::MalformedVersion { found, .. } => {
            Finding::new(Code::MalformedVersion, "version", "MAJOR.MINOR", format!("`{found}`"))
        }
        ErrorKind::MissingField { field, .. } => {
            Finding::new(Code::MissingField, "header", format!("a field `{field}`"), "none")
        }
        ErrorKind::Truncated { expected_bytes, found_bytes, .. } => {
            Finding::new(Code::Truncated, "file", bytes(expected_bytes), bytes(found_bytes))
        }
        ErrorKind::Surplus { expected_bytes, found_bytes, .. } => {
            Finding::new(Code::Surplus, "file", bytes(expected_bytes), bytes(found_bytes))
        }
        ErrorKind::BadHeader { field, expected, found, .. } => {
            Finding::new(Code::BadHeader, format!("header field `{field}`"), expected, found)
        }
        ErrorKind::Inconsistent { subject, expected, found, .. } => {
            Finding::new(Code::Inconsistent, subject, expected, found)
        }
        ErrorKind::LimitExceeded { limit, allowed, found, .. } => Finding::new(
            Code::LimitExceeded,
            format!("limit `{limit}`"),
            format!("at most {allowed}"),
            found.to_string(),
        ),
        ErrorKind::DigestMismatch { section, .. } => {
            let code = match report.level {
                Level::Size | Level::Container => Code::DamagedHeader,
                _ => Code::DigestMismatch,
            };
            let (expected, found) = ("the bytes that were written", "others");
            Finding::new(code, format!("`{section}`"), expected, found)
        }
        ErrorKind::BadArchive { record, expected, found, .. } => {
            Finding::new(Code::BadArchive, format!("record `{record}`"), expected, found)
        }
        ErrorKind::BadPickle { position, expected, found } => {
            Finding::new(Code::BadPickle, position, expected, found)
        }
        ErrorKind::ForbiddenGlobal { position, global, may_run: false } => {
            let found = format!("class `{global}`");
            Finding::new(Code::Unsupported, position, "classes that this release reads", found)
        }
        ErrorKind::ForbiddenGlobal { position, global, .. } => {
            let expected = "classes and functions of checkpoints";
            Finding::new(Code::ForbiddenGlobal, position, expected, format!("`{global}`"))
        }
        ErrorKind::BadTensor { tensor, expected, found, .. } => {
            Finding::new(Code::BadTensor, format!("tensor {tensor}"), expected, found)
        }
        ErrorKind::Unsupported { what, .. } => {
            Finding::new(Code::Unsupported, "file", "what this release reads", what)
        }
        ErrorKind::CrcMismatch { record, .. } => {
            let (expected, found) = ("the bytes that were written", "others");
            Finding::new(Code::CrcMismatch, format!("record `{record}`"), expected, found)
        }
        kind => {
            let source = Box::new(kind.in_file(&report.path));
            return Err(Error::CannotRead { path: report.path.clone(), cause: source });
        }
    })
}
