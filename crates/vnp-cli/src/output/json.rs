//! JSON for programs and terminals, written value by value.

use std::io::{self, Write};

use serde::Serialize;
use serde_json::Serializer;
use serde_json::ser::{CompactFormatter, Formatter, PrettyFormatter};
use vnp_escape::is_plain;

/// Writes a value over several lines, and a line end.
pub(crate) fn pretty(mut out: impl Write, value: &impl Serialize) -> io::Result<()> {
    write(&mut out, PrettyFormatter::new(), value)?;
    out.write_all(b"\n")
}

/// Writes a value in one line, without a line end.
pub(crate) fn compact(out: impl Write, value: &impl Serialize) -> io::Result<()> {
    write(out, CompactFormatter, value)
}

fn write(out: impl Write, formatter: impl Formatter, value: &impl Serialize) -> io::Result<()> {
    Ok(value.serialize(&mut Serializer::with_formatter(out, Plain(formatter)))?)
}

/// JSON in which every character that a terminal would not show as itself is escaped, as `\u001b` and
/// `\ud83e\udda0`; JSON itself asks for that only below U+0020. What is read from it is the same.
struct Plain<F>(F);

impl<F: Formatter> Formatter for Plain<F> {
    fn write_string_fragment<W: Write + ?Sized>(
        &mut self,
        out: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut units = [0; 2];
        let mut rest = fragment;
        while let Some(at) = rest.find(|character| !is_plain(character)) {
            let (plain, after) = rest.split_at(at);
            out.write_all(plain.as_bytes())?;
            let mut characters = after.chars();
            if let Some(character) = characters.next() {
                for unit in character.encode_utf16(&mut units) {
                    write!(out, "\\u{unit:04x}")?;
                }
            }
            rest = characters.as_str();
        }
        out.write_all(rest.as_bytes())
    }

    fn begin_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_array(out)
    }

    fn end_array<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array(out)
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_array_value(out, first)
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_array_value(out)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object(out)
    }

    fn end_object<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object(out)
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, out: &mut W, first: bool) -> io::Result<()> {
        self.0.begin_object_key(out, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.begin_object_value(out)
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, out: &mut W) -> io::Result<()> {
        self.0.end_object_value(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// The text in one line, after a check that both layouts read back as the value.
    fn check(value: &Value, expected: &str) {
        let (mut one, mut more) = (Vec::new(), Vec::new());
        compact(&mut one, value).unwrap();
        pretty(&mut more, value).unwrap();
        for text in [&one, &more] {
            assert_eq!(serde_json::from_slice::<Value>(text).unwrap(), *value);
            let text = std::str::from_utf8(text).unwrap();
            assert!(text.chars().all(|c| is_plain(c) || c == '\n'), "{text:?}");
        }
        assert_eq!(String::from_utf8(one).unwrap(), expected);
        if !expected.contains("\\u") {
            assert_eq!(String::from_utf8(more).unwrap(), format!("{value:#}\n"));
        }
    }

    #[test]
    fn letters_stay_and_what_is_not_plain_is_escaped() {
        check(&json!({"a": [1, {"b": null}, []], "c": {}}), r#"{"a":[1,{"b":null},[]],"c":{}}"#);
        check(&json!("Müller \"序列\" \\"), r#""Müller \"序列\" \\""#);
        check(&json!("\u{1b}[31m\n\u{7f}\u{9b}"), r#""\u001b[31m\n\u007f\u009b""#);
        check(&json!({"\u{202e}k\u{2028}": "\u{feff}"}), r#"{"\u202ek\u2028":"\ufeff"}"#);
        check(&json!("x\u{e0041}y"), r#""x\udb40\udc41y""#);
    }
}
