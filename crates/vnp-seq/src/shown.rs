//! How messages show ids, which may hold anything.

/// Letters of an id that messages show.
const SHOWN: usize = 100;

/// An id for messages: control characters are escaped, bytes that are not UTF-8 replaced, and what is
/// longer than 100 letters is cut.
///
/// ```
/// assert_eq!(vnp_seq::shown_id(b"caf\xe9\x07"), "caf\u{fffd}\\u{7}");
/// ```
#[must_use]
pub fn shown_id(id: &[u8]) -> String {
    let id = String::from_utf8_lossy(id);
    let shown: String = id.chars().take(SHOWN).collect();
    let cut = if shown.len() < id.len() { "…" } else { "" };
    format!("{}{cut}", shown.escape_debug())
}
