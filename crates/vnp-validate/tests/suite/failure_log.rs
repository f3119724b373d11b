//! Many threads and processes that write one log.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use vnp_validate::{FAILED_FILES, load_failures, log_failure};

const LOG: &str = "VNP_VALIDATE_TEST_LOG";
const WRITERS: usize = 8;
const LINES: usize = 200;

/// The path and reason of one line: long, and with everything that could break it.
fn entry(writer: usize, line: usize) -> (PathBuf, String) {
    let path = format!("dir|{writer}/part\n{line} 100%.vnp");
    (path.into(), format!("reason {writer}|{line}\r\n{}", "x|y".repeat(line * 40)))
}

fn write_all(log: &Path, writer: usize) {
    for line in 0..LINES {
        let (path, reason) = entry(writer, line);
        log_failure(log, &path, &reason).unwrap();
    }
}

/// Nothing lost, nothing mixed, each writer's lines in its order.
fn check(log: &Path) {
    let failures = load_failures(log).unwrap();
    assert_eq!(failures.len(), WRITERS * LINES);
    for writer in 0..WRITERS {
        let expected: Vec<_> = (0..LINES).map(|line| entry(writer, line)).collect();
        let prefix = format!("dir|{writer}/");
        let found: Vec<_> = failures
            .iter()
            .filter(|failure| failure.path.to_str().unwrap().starts_with(&prefix))
            .map(|failure| (failure.path.clone(), failure.reason.clone()))
            .collect();
        assert_eq!(found, expected, "writer {writer}");
    }
    let lines = fs_err::read_to_string(log).unwrap();
    assert_eq!(lines.lines().count(), WRITERS * LINES);
}

#[test]
fn threads_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join(FAILED_FILES);
    std::thread::scope(|scope| {
        (0..WRITERS).for_each(|writer| {
            drop(scope.spawn({
                let log = &log;
                move || write_all(log, writer)
            }))
        });
    });
    check(&log);
}

/// Not a test by itself: it is run by each process of the next test.
#[test]
fn child() {
    let Some(log) = std::env::var_os(LOG) else {
        return;
    };
    let (log, writer) = (PathBuf::from(log), std::env::var("WRITER").unwrap());
    write_all(&log, writer.parse().unwrap());
}

#[test]
fn processes_lose_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join(FAILED_FILES);
    let children: Vec<_> = (0..WRITERS)
        .map(|writer| {
            Command::new(std::env::current_exe().unwrap())
                .args(["--exact", "failure_log::child", "--quiet"])
                .env(LOG, &log)
                .env("WRITER", writer.to_string())
                .spawn()
                .unwrap()
        })
        .collect();
    for mut child in children {
        assert!(child.wait().unwrap().success());
    }
    check(&log);
}

#[cfg(unix)]
#[test]
fn any_path_is_read_back() {
    use std::os::unix::ffi::OsStrExt;
    let directory = tempfile::tempdir().unwrap();
    let log = directory.path().join(FAILED_FILES);
    let every_byte: Vec<u8> = (1..=255).collect();
    let long = [b'|'; 4000];
    let paths = [&every_byte[..], &long, b"", b"\xff", b"a\nb", b"%7C", b" spaced "];
    for path in paths {
        let reason = String::from_utf8_lossy(path);
        log_failure(&log, Path::new(std::ffi::OsStr::from_bytes(path)), &reason).unwrap();
    }
    let failures = load_failures(&log).unwrap();
    let found: Vec<_> =
        failures.iter().map(|failure| failure.path.as_os_str().as_bytes()).collect();
    assert_eq!(found, paths);
    let reasons: BTreeSet<_> = failures.into_iter().map(|failure| failure.reason).collect();
    let expected = paths.map(|path| String::from_utf8_lossy(path).into_owned());
    assert_eq!(reasons, BTreeSet::from(expected));
}
