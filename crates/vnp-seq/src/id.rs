//! The ids of records, chunks and frames: what of a header is the id, and how it is written as text.
//!
//! `read1_chunk_3R2` is frame R2 of the third chunk of `read1`. Ids are not unique where those of
//! records are not.
//!
//! Checkpoints hold ids as UTF-8. In an id that is not, the bytes that break UTF-8 and `%` are
//! percent-encoded (`caf%E9`); every other id is its own text, also if it holds a `%`. Tables get the
//! bytes of the header.

use std::borrow::Cow;

use crate::frame::Frame;

const CHUNK: &str = "_chunk_";

/// The id in a header without its mark: it begins at the first byte that is neither a blank nor a
/// tab, and ends before the next one that is.
pub(crate) fn id_bytes(header: &[u8]) -> &[u8] {
    header.split(|byte| matches!(byte, b' ' | b'\t')).find(|word| !word.is_empty()).unwrap_or(&[])
}

/// The text of an id, and whether bytes of it are percent-encoded.
pub(crate) fn id_text(bytes: &[u8]) -> (String, bool) {
    if let Ok(text) = str::from_utf8(bytes) {
        return (text.to_owned(), false);
    }
    let mut text = String::new();
    let encode = |text: &mut String, byte: u8| text.push_str(&format!("%{byte:02X}"));
    for piece in bytes.utf8_chunks() {
        for letter in piece.valid().chars() {
            match letter {
                '%' => encode(&mut text, b'%'),
                letter => text.push(letter),
            }
        }
        piece.invalid().iter().for_each(|&byte| encode(&mut text, byte));
    }
    (text, true)
}

/// The bytes of an id from its text.
pub(crate) fn raw_id(text: &str, is_encoded: bool) -> Cow<'_, [u8]> {
    if !is_encoded {
        return Cow::Borrowed(text.as_bytes());
    }
    let mut pieces = text.split('%');
    let mut bytes = pieces.next().unwrap_or_default().as_bytes().to_vec();
    for piece in pieces {
        let code = piece.get(..2).and_then(|digits| u8::from_str_radix(digits, 16).ok());
        debug_assert!(code.is_some(), "{text} is not an encoded id");
        bytes.extend(code);
        bytes.extend(piece.bytes().skip(2));
    }
    Cow::Owned(bytes)
}

/// What distinguishes the id of a chunk from that of its record; `index` counts from 0.
///
/// ```
/// assert_eq!(vnp_seq::chunk_suffix(2), "_chunk_3");
/// ```
#[must_use]
pub fn chunk_suffix(index: u32) -> String {
    format!("{CHUNK}{}", u64::from(index) + 1)
}

/// The id of a chunk of `record`; `index` counts from 0.
#[must_use]
pub fn chunk_id(record: &str, index: u32) -> String {
    record.to_owned() + &chunk_suffix(index)
}

/// The id of a frame of a chunk.
///
/// ```
/// use vnp_seq::{Frame, chunk_id, frame_id};
///
/// assert_eq!(frame_id(&chunk_id("read1", 2), Frame::R2), "read1_chunk_3R2");
/// ```
#[must_use]
pub fn frame_id(chunk: &str, frame: Frame) -> String {
    format!("{chunk}{frame}")
}

/// The chunk's part of a frame's id; an id that does not end in a frame is returned whole.
///
/// ```
/// assert_eq!(vnp_seq::chunk_of_frame("read1_chunk_3R2"), "read1_chunk_3");
/// ```
#[must_use]
pub fn chunk_of_frame(id: &str) -> &str {
    Frame::ALL.into_iter().find_map(|frame| id.strip_suffix(frame.as_str())).unwrap_or(id)
}

/// The record's part of a chunk's id; an id without the number of a chunk is returned whole.
///
/// ```
/// assert_eq!(vnp_seq::record_of_chunk("read1_chunk_3"), "read1");
/// ```
#[must_use]
pub fn record_of_chunk(id: &str) -> &str {
    id.rsplit_once(CHUNK).map_or(id, |(record, _)| record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(record: &str, index: u32, frame: Frame, expected: &str) {
        let chunk = chunk_id(record, index);
        let id = frame_id(&chunk, frame);
        assert_eq!(id, expected);
        assert_eq!((chunk_of_frame(&id), record_of_chunk(&chunk)), (chunk.as_str(), record));
    }

    #[track_caller]
    fn check_header(header: &[u8], id: &[u8], text: &str) {
        assert_eq!(id_bytes(header), id);
        assert_eq!(id_text(id), (text.to_owned(), text.as_bytes() != id));
        assert_eq!(&*raw_id(text, text.as_bytes() != id), id);
    }

    #[test]
    fn the_parts_of_an_id_are_found_again() {
        check("r", 2, Frame::F1, "r_chunk_3F1");
        check("a_chunk_1", 11, Frame::R3, "a_chunk_1_chunk_12R3");
        check("", 0, Frame::R1, "_chunk_1R1");
        check("r", u32::MAX, Frame::F2, "r_chunk_4294967296F2");
    }

    #[test]
    fn other_texts_are_returned_whole() {
        for text in ["plain", "\u{e9}", ""] {
            assert_eq!((chunk_of_frame(text), record_of_chunk(text)), (text, text));
        }
    }

    #[test]
    fn an_id_ends_at_a_blank_or_a_tab_and_keeps_every_byte() {
        check_header(b"read1 a description", b"read1", "read1");
        check_header(b"read1\ttab", b"read1", "read1");
        check_header(b" \t indented word", b"indented", "indented");
        check_header(b"", b"", "");
        check_header(b"   ", b"", "");
        check_header(b"caf\xe9 x", b"caf\xe9", "caf%E9");
        check_header(b"50%caf\xe9", b"50%caf\xe9", "50%25caf%E9");
        check_header(b"50%25", b"50%25", "50%25");
        // Other white space belongs to the id.
        check_header(
            "a\u{a0}b\u{b}\u{c}\u{85}\u{2003}c d".as_bytes(),
            "a\u{a0}b\u{b}\u{c}\u{85}\u{2003}c".as_bytes(),
            "a\u{a0}b\u{b}\u{c}\u{85}\u{2003}c",
        );
    }

    proptest! {
        #[test]
        fn every_byte_of_an_id_comes_out_again(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            let (text, is_encoded) = id_text(&bytes);
            prop_assert_eq!(&*raw_id(&text, is_encoded), bytes.as_slice());
        }
    }
}
