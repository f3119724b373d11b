//! FASTA that may be shown on a terminal, where an id must not be a command.

use std::fs::File;
use std::io::{self, IsTerminal, Write};
use std::path::Path;

use vnp_escape::escaped_bytes;
use vnp_job::publish::is_special;

/// Writes bytes as they are, or to a terminal line by line with control characters escaped.
#[derive(Debug)]
pub(super) struct Screen<W> {
    out: W,
    is_terminal: bool,
    line: Vec<u8>,
}

impl<W: Write> Screen<W> {
    /// The writer of what is written to `path`.
    pub(super) fn new(out: W, path: &Path) -> Self {
        let is_terminal = is_special(path)
            && File::options().write(true).open(path).is_ok_and(|file| file.is_terminal());
        Self { out, is_terminal, line: Vec::new() }
    }

    /// The writer within, after the last line.
    pub(super) fn finish(mut self) -> io::Result<W> {
        write!(self.out, "{}", escaped_bytes(&self.line))?;
        Ok(self.out)
    }
}

impl<W: Write> Write for Screen<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if !self.is_terminal {
            return self.out.write(bytes);
        }
        for &byte in bytes {
            if byte == b'\n' {
                writeln!(self.out, "{}", escaped_bytes(&self.line))?;
                self.line.clear();
            } else {
                self.line.push(byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(is_terminal: bool, text: &[u8], expected: &[u8]) {
        for size in 1..=text.len() {
            let mut screen = Screen { out: Vec::new(), is_terminal, line: Vec::new() };
            text.chunks(size).for_each(|piece| screen.write_all(piece).unwrap());
            assert_eq!(screen.finish().unwrap(), expected);
        }
    }

    #[test]
    fn ids_are_escaped_on_a_terminal_and_nowhere_else() {
        let text = b">\x1b[31m\xc2\x9b\xff\xc3\xbc 1\nACGT\n>b";
        check(true, text, ">\\u{1b}[31m\\u{9b}\\xffü 1\nACGT\n>b".as_bytes());
        check(false, text, text);
    }

    #[test]
    fn a_file_is_not_a_terminal() {
        let file = tempfile::NamedTempFile::new().unwrap();
        assert!(!Screen::new(Vec::new(), file.path()).is_terminal);
        assert!(!Screen::new(Vec::new(), Path::new("/dev/null")).is_terminal);
    }
}
