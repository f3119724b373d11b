//! Turns the reader's errors into findings, or into an error if the file could not be inspected.

use std::io::ErrorKind;

use vnp_ckpt::Error as Fault;

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
            if let Fault::TooNew { found, .. } = &fault {
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
    Ok(match fault {
        // Removed since its size was taken.
        Fault::Io { source, .. } if source.kind() == ErrorKind::NotFound => {
            Finding::new(Code::Missing, "file", "a file", "nothing")
        }
        Fault::NotAFile { .. } => {
            Finding::new(Code::NotAFile, "file", "a regular file", "something else")
        }
        Fault::NotACheckpoint { .. } => {
            Finding::new(Code::NotACheckpoint, "file", "the first bytes of a checkpoint", "others")
        }
        Fault::TooNew { found, current, .. } => {
            Finding::new(Code::TooNew, "version", format!("at most {current}"), found.to_string())
        }
        Fault::MalformedVersion { found, .. } => {
            Finding::new(Code::MalformedVersion, "version", "MAJOR.MINOR", format!("`{found}`"))
        }
        Fault::MissingField { field, .. } => {
            Finding::new(Code::MissingField, "header", format!("a field `{field}`"), "none")
        }
        Fault::Truncated { expected_bytes, found_bytes, .. } => {
            Finding::new(Code::Truncated, "file", bytes(expected_bytes), bytes(found_bytes))
        }
        Fault::Surplus { expected_bytes, found_bytes, .. } => {
            Finding::new(Code::Surplus, "file", bytes(expected_bytes), bytes(found_bytes))
        }
        Fault::BadHeader { field, expected, found, .. } => {
            Finding::new(Code::BadHeader, format!("header field `{field}`"), expected, found)
        }
        Fault::Inconsistent { subject, expected, found, .. } => {
            Finding::new(Code::Inconsistent, subject, expected, found)
        }
        Fault::LimitExceeded { limit, allowed, found, .. } => Finding::new(
            Code::LimitExceeded,
            format!("limit `{limit}`"),
            format!("at most {allowed}"),
            found.to_string(),
        ),
        Fault::DigestMismatch { section, .. } => {
            let code = match report.level {
                Level::Size | Level::Container => Code::DamagedHeader,
                _ => Code::DigestMismatch,
            };
            let (expected, found) = ("the bytes that were written", "others");
            Finding::new(code, format!("`{section}`"), expected, found)
        }
        Fault::BadArchive { record, expected, found, .. } => {
            Finding::new(Code::BadArchive, format!("record `{record}`"), expected, found)
        }
        Fault::BadPickle { place, expected, found, .. } => {
            Finding::new(Code::BadPickle, place, expected, found)
        }
        Fault::ForbiddenGlobal { place, global, .. } => {
            let expected = "classes and functions of checkpoints";
            Finding::new(Code::ForbiddenGlobal, place, expected, format!("`{global}`"))
        }
        Fault::BadTensor { tensor, expected, found, .. } => {
            Finding::new(Code::BadTensor, format!("tensor {tensor}"), expected, found)
        }
        Fault::Unsupported { what, .. } => {
            Finding::new(Code::Unsupported, "file", "what this release reads", what)
        }
        Fault::CrcMismatch { record, .. } => {
            let (expected, found) = ("the bytes that were written", "others");
            Finding::new(Code::CrcMismatch, format!("record `{record}`"), expected, found)
        }
        source => {
            return Err(Error::CannotRead { path: report.path.clone(), source: Box::new(source) });
        }
    })
}
