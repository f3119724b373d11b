//! The ids of chunks and frames: the id of the record, the number of the chunk, the frame.
//!
//! `read1_chunk_3R2` is frame R2 of the third chunk of `read1`. Ids are not unique where those of
//! records are not.

use crate::frame::Frame;

const CHUNK: &str = "_chunk_";

/// The id of a chunk of `record`; `index` counts from 0.
#[must_use]
pub fn chunk_id(record: &str, index: u32) -> String {
    format!("{record}{CHUNK}{}", u64::from(index) + 1)
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

    fn check(record: &str, index: u32, frame: Frame, expected: &str) {
        let chunk = chunk_id(record, index);
        let id = frame_id(&chunk, frame);
        assert_eq!(id, expected);
        assert_eq!((chunk_of_frame(&id), record_of_chunk(&chunk)), (chunk.as_str(), record));
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
}
