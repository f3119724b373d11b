//! Log files of `vnp`: known by their first line, so that no other file is taken for one.

use std::io::{self, Read};
use std::path::Path;

/// The first line of a log file.
pub const LOG_FIRST_LINE: &str = "vnp-log 1";
/// `2026-01-01T00:00:00Z INFO  …`: the lines of a log, and the first one of earlier versions. A digit
/// stands for any digit.
const STAMP: &[u8] = b"0000-00-00T00:00:00Z ";
const LEVELS: [&[u8]; 5] = [b"ERROR ", b"WARN  ", b"INFO  ", b"DEBUG ", b"TRACE "];

/// Whether a file is a log that `vnp` wrote, of this version or an earlier one.
///
/// # Errors
/// If the file cannot be read.
pub fn is_log_file(path: &Path) -> io::Result<bool> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(64).read_to_end(&mut start)?;
    Ok(begins_as_log(&start))
}

fn begins_as_log(start: &[u8]) -> bool {
    let line = start.split(|&byte| byte == b'\n').next().unwrap_or_default();
    if line.strip_suffix(b"\r").unwrap_or(line) == LOG_FIRST_LINE.as_bytes() {
        return start.len() > line.len();
    }
    let Some((stamp, rest)) = line.split_at_checked(STAMP.len()) else { return false };
    let fits = |(&found, &expected): (&u8, &u8)| match expected {
        b'0' => found.is_ascii_digit(),
        other => found == other,
    };
    stamp.iter().zip(STAMP).all(fits) && LEVELS.iter().any(|level| rest.starts_with(level))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(start: &str, expected: bool) {
        assert_eq!(begins_as_log(start.as_bytes()), expected, "{start:?}");
    }

    #[test]
    fn a_log_is_known_by_its_first_line() {
        check("vnp-log 1\n", true);
        check("vnp-log 1\r\n2026-01-01T00:00:00Z INFO  x\n", true);
        check("2026-01-01T00:00:00Z INFO  model mini\n", true);
        check("2026-01-01T00:00:00Z ERROR x", true);
        check("2026-01-01T00:00:00Z WARN  x", true);
        check("", false);
        check("vnp-log 1", false);
        check("vnp-log 10\n", false);
        check("vnp-log 1 and notes\n", false);
        check("2026-01-01T00:00:00Z INFO", false);
        check("2026-01-01T00:00:00Z notes\n", false);
        check("2026-01-01 00:00:00 INFO  x\n", false);
        check("2O26-01-01T00:00:00Z INFO  x\n", false);
        check(">r1\nACGT\n", false);
    }
}
