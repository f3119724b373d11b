//! Text from a file in a form fit for messages.

/// One line of limited length.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_CHARS: usize = 60;
    let text = String::from_utf8_lossy(bytes.get(..4 * SHOWN_CHARS).unwrap_or(bytes));
    let mut shown: String = text.chars().take(SHOWN_CHARS).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN_CHARS).is_some() || bytes.len() > 4 * SHOWN_CHARS {
        shown.push_str("...");
    }
    shown
}
