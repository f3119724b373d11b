//! A cell of bounded length, whatever it is made from.

use std::io::{self, Write};

use vnp_escape::escaped;

use super::grouped;

/// Letters that a table shows of a name or a value.
const SHOWN_LETTERS: u64 = 500;

/// What `write` writes, escaped, and cut after 500 letters. The mark of a cut says how many letters are left
/// out, and that `--json` shows them; they are counted and not kept.
pub(crate) fn cell(write: impl FnOnce(&mut Cut) -> io::Result<()>) -> String {
    let mut cut = Cut { kept: Vec::new(), letters: 0 };
    if let Err(error) = write(&mut cut) {
        return format!("cannot be shown: {}", escaped(error));
    }
    let text = String::from_utf8_lossy(&cut.kept);
    match cut.letters.saturating_sub(SHOWN_LETTERS) {
        0 => escaped(text).to_string(),
        more => format!("{}… ({} more letters: --json shows all)", escaped(text), grouped(more)),
    }
}

/// Keeps the first letters of what is written, and counts them all.
pub(crate) struct Cut {
    kept: Vec<u8>,
    letters: u64,
}

impl Write for Cut {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            // Every byte of UTF-8 but these begins a letter.
            let is_continued = byte & 0b1100_0000 == 0b1000_0000;
            self.letters += u64::from(!is_continued);
            if self.letters <= SHOWN_LETTERS {
                self.kept.push(byte);
            }
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(cell(|out| out.write_all(text.as_bytes())), expected);
    }

    #[test]
    fn a_cell_is_cut_between_letters_and_says_so() {
        check("", "");
        check("a\nb", "a\\nb");
        check(&"ü".repeat(500), &"ü".repeat(500));
        let mark = "… (1,234 more letters: --json shows all)";
        check(&"序".repeat(1734), &format!("{}{mark}", "序".repeat(500)));
    }

    #[test]
    fn what_is_cut_is_not_kept() {
        let mut cut = Cut { kept: Vec::new(), letters: 0 };
        for _ in 0..1000 {
            cut.write_all(&[b'x'; 1000]).unwrap();
        }
        assert_eq!((cut.kept.len(), cut.letters), (500, 1_000_000));
        assert!(cut.kept.capacity() < 2000);
    }
}
