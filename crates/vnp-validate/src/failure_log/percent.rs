//! Percent-encoding of characters and bytes that a line of a failure log cannot contain.

use std::path::{Path, PathBuf};

use vnp_escape::is_plain;

/// Encodes `%`, `|`, and every character that a terminal would not show as itself, line ends and direction
/// marks among them, so that a line is a line for every tool.
pub(crate) fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for c in text.chars() {
        if matches!(c, '%' | '|') || !is_plain(c) {
            let mut bytes = [0; 4];
            c.encode_utf8(&mut bytes).bytes().for_each(|byte| push(&mut encoded, byte));
        } else {
            encoded.push(c);
        }
    }
    encoded
}

/// Encodes a path, including bytes that are not UTF-8.
pub(crate) fn encode_path(path: &Path) -> String {
    let mut encoded = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        encoded.push_str(&encode(chunk.valid()));
        chunk.invalid().iter().for_each(|&byte| push(&mut encoded, byte));
    }
    encoded
}

/// The decoded text; `None` if it is not a valid encoding.
pub(crate) fn decode(encoded: &str) -> Option<String> {
    String::from_utf8(bytes(encoded)?).ok()
}

/// The decoded path; `None` if it is not a valid encoding.
#[cfg(unix)]
pub(crate) fn decode_path(encoded: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt;
    Some(PathBuf::from(std::ffi::OsString::from_vec(bytes(encoded)?)))
}

/// The decoded path; `None` if it is not a valid encoding.
#[cfg(not(unix))]
pub(crate) fn decode_path(encoded: &str) -> Option<PathBuf> {
    decode(encoded).map(PathBuf::from)
}

fn push(encoded: &mut String, byte: u8) {
    encoded.push_str(&format!("%{byte:02X}"));
}

fn bytes(encoded: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => digit(rest.next()?)? << 4 | digit(rest.next()?)?,
            byte => byte,
        });
    }
    Some(bytes)
}

fn digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        assert_eq!(encode(text), expected);
        assert_eq!(decode(expected).as_deref(), Some(text));
        assert_eq!(encode_path(Path::new(text)), expected);
        assert_eq!(decode_path(expected).as_deref(), Some(Path::new(text)));
    }

    #[test]
    fn texts() {
        check("", "");
        check("plain path/a.vnp", "plain path/a.vnp");
        check("Grüße 🧬", "Grüße 🧬");
        check("a|b", "a%7Cb");
        check("100 %", "100 %25");
        check("%7C", "%257C");
        check("a\r\nb\tc\0", "a%0D%0Ab%09c%00");
        check("\u{7f}\u{85}\u{2028}", "%7F%C2%85%E2%80%A8");
        check("\u{202e}\u{200b}", "%E2%80%AE%E2%80%8B");
        check(" spaced ", " spaced ");
    }

    #[cfg(unix)]
    #[test]
    fn bytes_that_are_not_text() {
        use std::os::unix::ffi::OsStrExt;
        for path in [&b"\xff"[..], b"a\xc3|\xc3\xa9\xf0\x9f", b"\x80%\n"] {
            let path = Path::new(std::ffi::OsStr::from_bytes(path));
            assert_eq!(decode_path(&encode_path(path)).as_deref(), Some(path));
        }
    }

    #[track_caller]
    fn check_damaged(encoded: &str) {
        assert_eq!(decode(encoded), None, "{encoded}");
    }

    #[test]
    fn invalid_encodings() {
        check_damaged("%");
        check_damaged("a%4");
        check_damaged("%zz");
        check_damaged("%+1");
        check_damaged("%é");
        check_damaged("%FF");
    }
}
