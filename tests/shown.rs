//! Nothing from outside reaches a terminal, a log or `--json` as it is: every command over files with marked
//! control characters in every field.

mod arguments;
mod cost;
mod files;
mod jobs;
mod models;

use std::path::{Path, PathBuf};
use std::process::Output;

use vnp_escape::is_plain;

use crate::support::Bench;

/// An escape sequence, a C1 control, DEL, a direction mark, a Unicode line end, and a line end with a line of a
/// log behind it.
const MARK: &str =
    "m\u{1b}[31mk\u{9b}2J\u{7f}\u{202e}x\u{2028}y\u{200b}\n1999-01-01T00:00:00Z ERROR forged\r\tz";
/// The same as far as it can stand in the id of a record.
const ID: &str = "m\u{1b}[31mk\u{9b}2J\u{7f}\u{202e}x\u{2028}y";

/// What a command printed and logged.
struct Shown {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Shown {
    /// Asserts the exit code, and that the mark was escaped where `place` was shown.
    #[track_caller]
    fn expect(&self, code: i32, is_marked: bool) -> &Self {
        let text = format!("{}\n{}", self.stdout, self.stderr);
        assert_eq!(self.code, Some(code), "{text}");
        let escaped =
            text.contains("m\\u{1b}[31mk\\u{9b}2J") || text.contains("m\\u001b[31mk\\u009b2J");
        assert_eq!(escaped, is_marked, "the mark is not where it should be:\n{text}");
        self
    }
}

/// Runs a command with a log file, and asserts that nothing that it writes holds a control character, and
/// that every line of its messages is a message.
#[track_caller]
fn run(bench: &Bench, words: &[&str]) -> Shown {
    let log = bench.path("messages.log");
    if log.exists() {
        std::fs::remove_file(&log).unwrap();
    }
    let words = [words, &["--log-file", "messages.log"]].concat();
    let Output { status, stdout, stderr } = bench.command(&words).output().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|bytes| String::from_utf8(bytes).unwrap());
    let logged = std::fs::read_to_string(&log).unwrap_or_default();
    let logged = logged.strip_prefix("vnp-log 1\n").unwrap_or(&logged).to_owned();
    for (name, text) in [("stdout", &stdout), ("stderr", &stderr), ("log", &logged)] {
        let bad = text.chars().find(|&c| c != '\n' && !is_plain(c));
        assert!(bad.is_none(), "{words:?}: {name} holds {bad:?}:\n{text:?}");
    }
    for line in stderr.lines().chain(logged.lines()) {
        assert!(is_message(line), "{words:?}: not a message: {line}");
    }
    // The table of a command may not be one that a name has extended either.
    assert!(!stdout.lines().any(|line| line.starts_with("1999")), "{words:?}:\n{stdout}");
    Shown { code: status.code(), stdout, stderr }
}

/// Whether a line begins with the time of this run and a level.
fn is_message(line: &str) -> bool {
    let mut words = line.split(' ');
    let time = words.next().unwrap_or_default();
    let is_time = time.len() == 20 && time.starts_with("20") && time.ends_with('Z');
    is_time
        && ["ERROR", "WARN", "INFO", "DEBUG", "TRACE"].contains(&words.next().unwrap_or_default())
}

/// A directory whose name is marked, in the directory of the test.
fn marked_directory(bench: &Bench) -> PathBuf {
    let directory = bench.path(MARK);
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// A path relative to the bench's directory, as an argument.
fn argument(bench: &Bench, path: &Path) -> String {
    path.strip_prefix(bench.path("")).unwrap_or(path).to_str().unwrap().to_owned()
}
