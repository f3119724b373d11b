//! Text from a file in a form fit for messages.

use vnp_escape::escaped_bytes;

/// One line of limited length.
pub(crate) fn shown(bytes: &[u8]) -> String {
    const SHOWN_LETTERS: usize = 60;
    escaped_bytes(bytes).cut(SHOWN_LETTERS).into()
}
