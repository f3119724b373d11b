//! What displays escaped: anything that displays, character by character as it is written.

use std::fmt::{self, Display, Formatter, Write};

use crate::plain::is_plain;

/// Letters of a name or value of a file that messages show.
const SHOWN_LETTERS: usize = 200;

/// Letters that messages show of a sentence that quotes a file, such as the reason of a parser.
const CAUSE_LETTERS: usize = 1000;

/// Text that displays with its control characters escaped, and cut where a limit is set. `{:#}` displays the
/// alternate form of the text, escaped; other options of a format, such as a width, are ignored.
#[derive(Clone, Copy, Debug)]
pub struct Escaped<T> {
    text: T,
    most_letters: usize,
}

/// The text escaped, at any length: `\n`, `\u{1b}`.
pub fn escaped<T: Display>(text: T) -> Escaped<T> {
    Escaped { text, most_letters: usize::MAX }
}

/// A name or a value of a file: escaped, and cut after 200 letters.
pub fn shown<T: Display>(text: T) -> Escaped<T> {
    escaped(text).cut(SHOWN_LETTERS)
}

/// A sentence that quotes a file, such as the reason of a parser or the message of a library: escaped, and cut
/// after 1000 letters.
pub fn sentence<T: Display>(text: T) -> Escaped<T> {
    escaped(text).cut(CAUSE_LETTERS)
}

impl<T> Escaped<T> {
    /// The same, with no more than this many letters of the text; `…` stands for those that are left out, and
    /// they cost no time.
    #[must_use]
    pub fn cut(self, most_letters: usize) -> Self {
        Self { most_letters, ..self }
    }
}

impl<T: Display> Display for Escaped<T> {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let is_alternate = f.alternate();
        let mut writer = Escaping { out: f, left: self.most_letters, is_cut: false };
        // An error stops a text that is cut, and is not a failure.
        let written = match is_alternate {
            true => write!(writer, "{:#}", self.text),
            false => write!(writer, "{}", self.text),
        };
        if writer.is_cut { Ok(()) } else { written }
    }
}

impl<T: Display> From<Escaped<T>> for String {
    fn from(text: Escaped<T>) -> Self {
        text.to_string()
    }
}

struct Escaping<'a, 'b> {
    out: &'a mut Formatter<'b>,
    left: usize,
    is_cut: bool,
}

impl Write for Escaping<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let mut rest = text;
        while let Some(character) = rest.chars().next() {
            if self.left == 0 {
                self.out.write_char('…')?;
                self.is_cut = true;
                return Err(fmt::Error);
            }
            let (mut bytes, mut letters) = (0, 0);
            for letter in rest.chars().take(self.left).take_while(|letter| is_plain(*letter)) {
                bytes += letter.len_utf8();
                letters += 1;
            }
            let (plain, after) = rest.split_at(bytes);
            if letters > 0 {
                self.out.write_str(plain)?;
                rest = after;
            } else {
                write!(self.out, "{}", character.escape_debug())?;
                letters = 1;
                rest = rest.get(character.len_utf8()..).unwrap_or_default();
            }
            self.left -= letters;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, letters: usize, expected: &str) {
        let once = escaped(text).cut(letters).to_string();
        assert_eq!(once, expected, "{text:?}");
        assert_eq!(escaped(&once).to_string(), once, "escaping twice is escaping once");
        assert!(once.chars().all(is_plain));
    }

    #[test]
    fn control_characters_are_escaped_and_letters_are_not() {
        let all = usize::MAX;
        check("", all, "");
        check(
            "plain 'text' with \"quotes\" and a \\",
            all,
            "plain 'text' with \"quotes\" and a \\",
        );
        check("a\tb\r\nc\0", all, "a\\tb\\r\\nc\\0");
        check("\x1b]0;x\x07\x7f", all, "\\u{1b}]0;x\\u{7}\\u{7f}");
        check("\u{85}\u{9b}31m", all, "\\u{85}\\u{9b}31m");
        check("\u{202e}fdp\u{2066}\u{2028}", all, "\\u{202e}fdp\\u{2066}\\u{2028}");
        check("Müller γ 序列", all, "Müller γ 序列");
        check("Mu\u{308}ller", all, "Mu\u{308}ller");
        check("\u{308}x", all, "\u{308}x");
        check("zero\u{200b}width", all, "zero\\u{200b}width");
    }

    #[test]
    fn a_cut_counts_letters_of_the_text_and_is_marked() {
        check("abc", 3, "abc");
        check("abcd", 3, "abc…");
        check("äöüß", 3, "äöü…");
        check("\n\n\n\n", 2, "\\n\\n…");
        check("abc", 0, "…");
        check("", 0, "");
    }

    #[test]
    fn what_is_cut_is_not_even_formatted() {
        struct Endless;
        impl Display for Endless {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                loop {
                    f.write_str("abc")?;
                }
            }
        }
        assert_eq!(escaped(Endless).cut(4).to_string(), "abca…");
    }

    #[test]
    fn the_alternate_form_is_that_of_the_text() {
        struct Both;
        impl Display for Both {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                f.write_str(if f.alternate() { "long\n" } else { "short\n" })
            }
        }
        assert_eq!(format!("{} {:#}", escaped(Both), escaped(Both)), "short\\n long\\n");
    }

    #[test]
    fn a_failure_to_write_is_a_failure() {
        struct Full;
        impl Write for Full {
            fn write_str(&mut self, _: &str) -> fmt::Result {
                Err(fmt::Error)
            }
        }
        assert!(write!(Full, "{}", escaped("abc")).is_err());
        assert!(write!(Full, "{}", escaped("\n")).is_err());
    }

    #[test]
    fn names_and_sentences_are_bounded() {
        let long = "x".repeat(2000);
        assert_eq!(shown(&long).to_string().chars().count(), SHOWN_LETTERS + 1);
        assert_eq!(String::from(sentence(&long)).chars().count(), CAUSE_LETTERS + 1);
    }
}
