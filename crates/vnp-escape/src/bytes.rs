//! Bytes and paths that may not be text: what is not UTF-8 shows as `\xff`.

use std::fmt::{self, Display, Formatter};
use std::path::Path;

use crate::adapter::{Escaped, escaped, shown};

/// Bytes that are decoded at a time.
const WINDOW: usize = 1 << 12;

/// Bytes that display as the text that they are, with every byte that is none as `\xff`.
#[derive(Clone, Copy, Debug)]
pub struct Lossless<'a>(&'a [u8]);

/// Bytes as escaped text, at any length.
#[must_use]
pub fn escaped_bytes(bytes: &[u8]) -> Escaped<Lossless<'_>> {
    escaped(Lossless(bytes))
}

/// A name in bytes: escaped, and cut after 200 letters.
#[must_use]
pub fn shown_bytes(bytes: &[u8]) -> Escaped<Lossless<'_>> {
    shown(Lossless(bytes))
}

/// A path escaped, at any length: the system limits it. Two paths that differ in bytes that are not text
/// differ here too.
#[must_use]
pub fn escaped_path<P: AsRef<Path> + ?Sized>(path: &P) -> Escaped<Lossless<'_>> {
    escaped(Lossless(path.as_ref().as_os_str().as_encoded_bytes()))
}

impl Display for Lossless<'_> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        // In windows, so that a text which is cut is not decoded to its end.
        let mut rest = self.0;
        while let Some(chunk) =
            rest.get(..WINDOW.min(rest.len())).unwrap_or_default().utf8_chunks().next()
        {
            let (valid, invalid) = (chunk.valid(), chunk.invalid());
            f.write_str(valid)?;
            let read = valid.len() + invalid.len();
            // A character at the end of a window is decoded with what follows.
            let is_split = read == WINDOW && rest.len() > WINDOW;
            if !is_split {
                for byte in invalid {
                    write!(f, "\\x{byte:02x}")?;
                }
            }
            let done = if is_split { valid.len() } else { read };
            rest = rest.get(done..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_text_are_shown_in_hexadecimal() {
        assert_eq!(escaped_bytes(b"a\xff\xfe\nb").to_string(), "a\\xff\\xfe\\nb");
        assert_eq!(escaped_bytes("ü".as_bytes()).to_string(), "ü");
        // Half of a surrogate pair, as Windows has it in names.
        assert_eq!(escaped_bytes(b"\xed\xa0\x80").to_string(), "\\xed\\xa0\\x80");
        assert_eq!(shown_bytes(&[b'x'; 300]).to_string().chars().count(), 201);
    }

    #[test]
    fn windows_split_no_character() {
        for lead in 0..8 {
            let text = "x".repeat(lead) + &"序列🦠".repeat(2 * WINDOW);
            assert_eq!(escaped_bytes(text.as_bytes()).to_string(), text);
            let mut bytes = text.into_bytes();
            bytes.push(0xff);
            assert!(escaped_bytes(&bytes).to_string().ends_with("🦠\\xff"));
            assert_eq!(
                escaped_bytes(&vec![0xe5; WINDOW + lead]).to_string().len(),
                4 * (WINDOW + lead)
            );
        }
    }

    #[test]
    fn long_bytes_cost_what_is_shown() {
        let bytes = vec![b'x'; 64 << 20];
        let started = std::time::Instant::now();
        for _ in 0..1000 {
            assert_eq!(escaped_bytes(&bytes).cut(2).to_string(), "xx…");
        }
        assert!(started.elapsed().as_secs() < 60, "{:?}", started.elapsed());
    }

    #[cfg(unix)]
    #[test]
    fn a_path_is_shown_whatever_its_bytes() {
        use std::os::unix::ffi::OsStrExt;
        let path = Path::new(std::ffi::OsStr::from_bytes(b"out/\x1b[2J\xff\n.fa"));
        assert_eq!(escaped_path(path).to_string(), "out/\\u{1b}[2J\\xff\\n.fa");
    }
}
