//! Failure logs: one line `path|reason|timestamp` for each failure. Threads and processes append to
//! one log without losing a line, and every line reads back exactly.
//!
//! A line is written by one call to a file opened for appending, which the operating system places
//! after all others, and is synced to disk before the call returns. Characters that separate fields
//! or lines are percent-encoded.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;
use std::time::Duration;

use vnp_escape::{FileKind, escaped_path};

use crate::error::Error;

mod percent;

/// The file name of the log of bad checkpoints.
pub const FAILED_CHECKPOINTS: &str = "failed_checkpoints.txt";

/// The file name of the log of inputs and rows that could not be processed.
pub const FAILED_FILES: &str = "failed_files.txt";

/// The attempts to lock a log, and the pause between two: two seconds in total.
const LOCK_TRIES: u32 = 1000;
const LOCK_PAUSE: Duration = Duration::from_millis(2);

/// One line of a failure log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// The file, record or row that failed.
    pub path: PathBuf,
    /// Why it failed.
    pub reason: String,
    /// When it failed: RFC 3339, UTC.
    pub timestamp: String,
}

impl Failure {
    /// A failure at the current time, to the second.
    #[must_use]
    pub fn now(path: impl Into<PathBuf>, reason: impl Into<String>) -> Self {
        let now = jiff::Timestamp::now();
        let now = jiff::Timestamp::from_second(now.as_second()).unwrap_or(now);
        Self { path: path.into(), reason: reason.into(), timestamp: now.to_string() }
    }

    /// Its line in a log, without the line end.
    #[must_use]
    pub fn line(&self) -> String {
        let (path, reason) = (percent::encode_path(&self.path), percent::encode(&self.reason));
        format!("{path}|{reason}|{}", self.timestamp)
    }
}

/// One line of [`FAILED_CHECKPOINTS`].
pub type FailedCheckpoint = Failure;

/// Appends a bad checkpoint to `log`, which is created if it is missing.
///
/// ```
/// use vnp_validate::{load_failed_checkpoints, log_failed_checkpoint};
///
/// # let directory = tempfile::tempdir().unwrap();
/// let log = directory.path().join("failed_checkpoints.txt");
/// log_failed_checkpoint(&log, "a|b.vnp".as_ref(), "truncated\nbadly")?;
/// let failures = load_failed_checkpoints(&log)?;
/// assert_eq!(failures[0].path, std::path::Path::new("a|b.vnp"));
/// assert_eq!(failures[0].reason, "truncated\nbadly");
/// # Ok::<(), vnp_validate::Error>(())
/// ```
///
/// # Errors
/// As [`log_failure`].
pub fn log_failed_checkpoint(log: &Path, path: &Path, reason: &str) -> Result<(), Error> {
    log_failure(log, path, reason)
}

/// The failures in `log`, in order; none if there is no such file.
///
/// # Errors
/// As [`load_failures`].
pub fn load_failed_checkpoints(log: &Path) -> Result<Vec<FailedCheckpoint>, Error> {
    load_failures(log)
}

/// Appends a failure of any kind to `log`, which is created if it is missing.
///
/// # Errors
/// [`Error::CannotAppend`]; earlier lines of the log stay readable.
pub fn log_failure(log: &Path, path: &Path, reason: &str) -> Result<(), Error> {
    let line = Failure::now(path, reason).line() + "\n";
    append(log, line).map_err(|cause| Error::CannotAppend { path: log.to_owned(), cause })
}

/// The failures in `log`, in order; none if there is no such file. Damaged lines are skipped
/// with a log message.
///
/// # Errors
/// [`Error::CannotReadLog`] when the file exists and cannot be read.
pub fn load_failures(log: &Path) -> Result<Vec<Failure>, Error> {
    let read = refuse_special(log).and_then(|()| fs_err::read(log));
    let bytes = match read {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => {
            return Err(Error::CannotReadLog { path: log.to_owned(), cause: source });
        }
    };
    let mut failures = Vec::new();
    for (index, line) in bytes.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let (line, is_terminated) = match line.strip_suffix(b"\n") {
            Some(line) => (line, true),
            None => (line, false),
        };
        match parse(line.strip_suffix(b"\r").unwrap_or(line), is_terminated) {
            Some(failure) => failures.push(failure),
            // Two writers may both have terminated the same torn line.
            None if line.is_empty() => {}
            None => log::warn!("{}: line {} is damaged, skipped", escaped_path(log), index + 1),
        }
    }
    Ok(failures)
}

/// Refuses a link, through which a line would be written elsewhere, and a pipe, which may block permanently.
fn refuse_special(log: &Path) -> io::Result<()> {
    match log.symlink_metadata() {
        Ok(found) if !found.is_file() => {
            let what = FileKind::of(found.file_type()).name();
            let reason = format!("it is {what}, not a regular file: remove it");
            Err(io::Error::new(ErrorKind::InvalidInput, reason))
        }
        _ => Ok(()),
    }
}

fn append(log: &Path, mut line: String) -> io::Result<()> {
    refuse_special(log)?;
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    let mut file = options.open(log)?;
    lock(&file);
    let length = file.metadata()?.len();
    if !may_append(&mut file)? {
        let reason = "it holds no failures: it is not a failure log, and is left as it is";
        return Err(io::Error::new(ErrorKind::InvalidData, reason));
    }
    if length > 0 && !ends_with_newline(&mut file, length)? {
        // A writer was stopped in the middle of a line: terminate it, so that only this line is lost.
        line.insert(0, '\n');
    }
    let written = file.write(line.as_bytes())?;
    // Other writers need not wait for the disk. Closing the file unlocks it in any case.
    file.unlock().ok();
    if written < line.len() {
        let reason = format!("only {written} of {} bytes were written", line.len());
        return Err(io::Error::new(ErrorKind::WriteZero, reason));
    }
    file.sync_all()?;
    if length == 0 { sync_directory(log) } else { Ok(()) }
}

/// Excludes other writers until the line is written, so that none of them takes an unfinished line
/// for a torn one. Appending itself needs no lock: on file systems without locks, or if another process
/// keeps the lock, the worst result is an empty line.
fn lock(file: &File) {
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Err(TryLockError::WouldBlock) => std::thread::sleep(LOCK_PAUSE),
            Ok(()) | Err(TryLockError::Error(_)) => return,
        }
    }
}

/// Whether a file is empty or a failure log, as far as its beginning shows: one whole line of it can be read,
/// or there is none, as after a stop in the middle of the first.
fn may_append(file: &mut File) -> io::Result<bool> {
    const INSPECTED: u64 = 1 << 16;
    let mut start = Vec::new();
    file.rewind()?;
    file.take(INSPECTED).read_to_end(&mut start)?;
    let lines: Vec<&[u8]> = start.split_inclusive(|&byte| byte == b'\n').collect();
    let mut whole = lines.iter().filter_map(|line| line.strip_suffix(b"\n")).peekable();
    let is_text = !start.contains(&0);
    // Half of a first line has at least its path.
    let is_first_half = is_text && whole.peek().is_none() && start.contains(&b'|');
    Ok(start.is_empty()
        || is_first_half
        || whole.any(|line| parse(line.strip_suffix(b"\r").unwrap_or(line), true).is_some()))
}

fn ends_with_newline(file: &mut File, length: u64) -> io::Result<bool> {
    let mut last = [0];
    file.seek(SeekFrom::Start(length - 1))?;
    file.read_exact(&mut last)?;
    Ok(last == *b"\n")
}

/// Syncs the name of a new log to disk.
fn sync_directory(log: &Path) -> io::Result<()> {
    let directory = log.parent().filter(|parent| !parent.as_os_str().is_empty());
    vnp_ckpt::sync_directory(directory.unwrap_or(Path::new(".")))
}

fn parse(line: &[u8], is_terminated: bool) -> Option<Failure> {
    let line = std::str::from_utf8(line).ok()?;
    let mut fields = line.split('|');
    let (path, reason, timestamp) = (fields.next()?, fields.next()?, fields.next()?);
    if fields.next().is_some() || !is_time(timestamp, is_terminated) {
        return None;
    }
    Some(Failure {
        path: percent::decode_path(path)?,
        reason: percent::decode(reason)?,
        timestamp: timestamp.to_owned(),
    })
}

/// Whether the text is a time in UTC, or one without a zone as the Python tools wrote it. The time of
/// a line without a line end may be truncated, so that only the former counts there.
fn is_time(text: &str, is_terminated: bool) -> bool {
    jiff::Timestamp::from_str(text).is_ok()
        || is_terminated && jiff::civil::DateTime::from_str(text).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log_of(bytes: &[u8]) -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let log = directory.path().join(FAILED_CHECKPOINTS);
        fs_err::write(&log, bytes).unwrap();
        (directory, log)
    }

    /// The reasons that are read from a log with these bytes.
    #[track_caller]
    fn check(bytes: &[u8], expected: &[&str]) {
        let (_directory, log) = log_of(bytes);
        let reasons: Vec<_> =
            load_failures(&log).unwrap().into_iter().map(|failure| failure.reason).collect();
        assert_eq!(reasons, expected, "{}", String::from_utf8_lossy(bytes));
    }

    #[test]
    fn damaged_lines_are_skipped() {
        check(b"", &[]);
        check(b"a|one|2026-01-31T23:59:59Z\n", &["one"]);
        check(b"a|one|2026-01-31T23:59:59Z\r\nb|two|2026-01-31T23:59:59Z\r\n", &["one", "two"]);
        check(b"a|one|2026-01-31T23:59:59Z\n\nb|two|2026-01-31T23:59:59Z\n", &["one", "two"]);
        check(b"a|one\nb|two|2026-01-31T23:59:59Z\n", &["two"]);
        check(b"a|one|x|2026-01-31T23:59:59Z\nb|two|2026-01-31T23:59:59Z\n", &["two"]);
        check(b"a|one|yesterday\nb|two|2026-01-31T23:59:59Z\n", &["two"]);
        check(b"a|%|2026-01-31T23:59:59Z\na|%4|2026-01-31T23:59:59Z\n", &[]);
        check(b"a|%zz|2026-01-31T23:59:59Z\na|%+1|2026-01-31T23:59:59Z\n", &[]);
        check(b"a|%ff|2026-01-31T23:59:59Z\n", &[]);
        check(b"a|\xff|2026-01-31T23:59:59Z\n", &[]);
        check(b"|||\n|\n\0\0\0\n", &[]);
        check(b"a|old|2025-11-22T14:00:00.123456\n", &["old"]);
    }

    #[test]
    fn only_a_torn_line_is_lost() {
        let whole = b"a|one|2026-01-31T23:59:59Z\n";
        for length in 1..whole.len() - 1 {
            let (_directory, log) = log_of(&[whole, &whole[..length]].concat());
            log_failure(&log, "b".as_ref(), "two").unwrap();
            let reasons: Vec<_> =
                load_failures(&log).unwrap().into_iter().map(|failure| failure.reason).collect();
            // A line that lost no more than the end of its time still says what failed and why.
            let (last, before) = reasons.split_last().unwrap();
            assert_eq!(last, "two", "cut at {length}");
            assert!(before.len() <= 2 && before.iter().all(|reason| reason == "one"), "{before:?}");
            assert_eq!(before[0], "one");
        }
    }

    #[test]
    fn only_a_failure_log_is_appended_to() {
        for (bytes, is_log) in [
            (&b""[..], true),
            (b"a|one|2026-01-31T23:59:59Z\n", true),
            (b"a|old|2025-11-22T14:00:00.123456\r\n", true),
            (b"a|o", true),
            (b"torn\na|one|2026-01-31T23:59:59Z\n", true),
            (b"my notes\n", false),
            (b">x\nACGT\n", false),
            (b"\x89VNP\0\0", false),
        ] {
            let (_directory, log) = log_of(bytes);
            let appended = log_failure(&log, "b".as_ref(), "two");
            assert_eq!(appended.is_ok(), is_log, "{}", String::from_utf8_lossy(bytes));
            if !is_log {
                assert_eq!(fs_err::read(&log).unwrap(), bytes);
            }
        }
    }

    #[test]
    fn a_torn_last_line_is_not_read() {
        let whole = b"a|one|2026-01-31T23:59:59Z\n";
        for length in 0..whole.len() - 1 {
            check(&whole[..length], &[]);
        }
        check(&whole[..whole.len() - 1], &["one"]);
    }

    #[test]
    fn a_missing_log_has_no_failures_and_an_unreadable_one_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(load_failures(&directory.path().join("none")).unwrap(), []);
        let Err(Error::CannotReadLog { .. }) = load_failures(directory.path()) else {
            panic!("a directory was read as a log")
        };
        let Err(Error::CannotAppend { .. }) = log_failure(directory.path(), "a".as_ref(), "b")
        else {
            panic!("a directory was appended to")
        };
    }

    #[test]
    fn a_time_is_that_of_now_in_utc() {
        let (_directory, log) = log_of(b"");
        log_failure(&log, "a".as_ref(), "b").unwrap();
        let timestamp = load_failures(&log).unwrap().remove(0).timestamp;
        assert!(timestamp.ends_with('Z') && timestamp.len() == "2026-01-31T23:59:59Z".len());
        let age = jiff::Timestamp::now().as_second()
            - jiff::Timestamp::from_str(&timestamp).unwrap().as_second();
        assert!((0..60).contains(&age), "{age} s");
    }
}
