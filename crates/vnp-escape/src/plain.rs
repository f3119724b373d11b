//! Which characters a terminal shows as themselves.

/// Whether a character is shown as itself, wherever it stands: a letter, a mark on a letter, a sign or a
/// space. It is not if it controls a terminal, ends a line, changes the direction of text or is invisible:
/// C0, DEL, C1, line and paragraph separators, format characters (among them direction marks and joiners),
/// unusual spaces, fillers, and what no version of Unicode known here assigns.
///
/// ```
/// use vnp_escape::is_plain;
///
/// assert!("Üß γ 序 е\u{301}".chars().all(is_plain));
/// assert!(!"\n\x1b\x7f\u{9b}\u{202e}\u{2028}\u{feff}".chars().any(is_plain));
/// ```
#[must_use]
pub fn is_plain(character: char) -> bool {
    match character {
        ' '..='~' => true,
        '\0'..='\u{a0}' => false,
        // Letters and marks by name, without a shape.
        '\u{34f}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' => false,
        '\u{180b}'..='\u{180f}' | '\u{3164}' | '\u{ffa0}' => false,
        '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}' => false,
        // The standard library knows what is printable. It escapes a mark only where no letter is before it.
        _ => {
            let mut buffer = [b'a'; 5];
            let length = buffer.get_mut(1..).map_or(0, |rest| character.encode_utf8(rest).len());
            let pair = buffer.get(..=length).and_then(|pair| std::str::from_utf8(pair).ok());
            pair.is_some_and(|pair| pair.escape_debug().eq(pair.chars()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(characters: impl IntoIterator<Item = char>, expected: bool) {
        for character in characters {
            assert_eq!(is_plain(character), expected, "{character:?}");
        }
    }

    #[test]
    fn letters_marks_and_signs_are_plain() {
        check(' '..='~', true);
        check("äöüßéØĳ ΓΩ Жя עב عر अनि กำ 序列 かな カナ 한글 🦠 µ≥–…'\"\\".chars(), true);
        check("u\u{308}".chars(), true);
    }

    #[test]
    fn controls_directions_and_line_ends_are_not() {
        check('\0'..='\x1f', false);
        check('\x7f'..='\u{9f}', false);
        check(['\u{61c}', '\u{200e}', '\u{200f}', '\u{2028}', '\u{2029}'], false);
        check('\u{202a}'..='\u{202e}', false);
        check('\u{2066}'..='\u{2069}', false);
    }

    #[test]
    fn the_invisible_is_not() {
        check('\u{200b}'..='\u{200d}', false);
        check('\u{2060}'..='\u{2064}', false);
        check(['\u{ad}', '\u{feff}', '\u{180e}', '\u{fff9}', '\u{e0041}', '\u{3164}'], false);
        check(['\u{a0}', '\u{2000}', '\u{3000}', '\u{e000}', '\u{10ffff}', '\u{fe0f}'], false);
    }
}
