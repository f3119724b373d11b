//! Standard output: lines, tables and JSON that may hold text from outside, and numbers with thousands
//! separators.

use std::io::{self, BufWriter, Write};

use vnp_escape::escaped;

pub(crate) mod cell;
pub(crate) mod json;
pub(crate) mod table;

/// Writes to standard output, through a buffer. If its reader has closed the pipe, that is not a failure, and
/// the exit code stays that of the work.
pub(crate) fn stream(write: impl FnOnce(&mut dyn Write) -> io::Result<()>) -> io::Result<()> {
    let mut out = BufWriter::new(io::stdout().lock());
    match write(&mut out).and_then(|()| out.flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written,
    }
}

/// Writes lines to standard output. What a terminal would not show as itself is escaped, except line ends.
pub(crate) fn print(lines: &str) -> io::Result<()> {
    stream(|out| lines.lines().try_for_each(|line| writeln!(out, "{}", escaped(line))))
}

/// Writes an error to standard error before logging has started.
pub(crate) fn print_error(text: &str) {
    // There is no remedy for a standard error that is closed.
    drop(writeln!(io::stderr(), "vnp: {}", escaped(text)));
}

/// `1 row`, `8,192 rows`.
pub(crate) fn counted(number: u64, thing: &str) -> String {
    format!("{} {thing}{}", grouped(number), if number == 1 { "" } else { "s" })
}

/// `8192` as `8,192`.
pub(crate) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_by_thousands() {
        for (number, text) in [
            (0, "0"),
            (999, "999"),
            (1000, "1,000"),
            (163_840, "163,840"),
            (1_234_567, "1,234,567"),
        ] {
            assert_eq!(grouped(number), text);
        }
        assert_eq!(counted(1, "row") + ", " + &counted(1000, "row"), "1 row, 1,000 rows");
    }
}
