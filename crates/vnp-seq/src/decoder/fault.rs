//! The errors of the decoders.

use std::io::{Error, ErrorKind};

/// Complete compressed data is followed by bytes that are not a part of it.
#[derive(Debug, thiserror::Error)]
#[error("the first {position} bytes are complete, and other bytes follow (trailing garbage)")]
pub(crate) struct TrailingBytes {
    /// The length of the complete data in the file.
    pub(crate) position: u64,
}

/// The error of data that ends at `position`, before other bytes.
pub(super) fn trailing(position: u64) -> Error {
    Error::new(ErrorKind::InvalidData, TrailingBytes { position })
}

/// The error of a file that ends inside `part`.
pub(super) fn cut(part: &str) -> Error {
    Error::new(ErrorKind::UnexpectedEof, format!("the file ends inside {part}"))
}

/// The error of data that breaks its format.
pub(super) fn invalid(what: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::new(ErrorKind::InvalidData, what)
}

/// The remedy, if a decoder refused what it cannot do, which is not damage. The texts are those of libzstd.
pub(crate) fn limit_remedy(error: &Error) -> Option<&'static str> {
    match (error.kind(), error.to_string().as_str()) {
        (_, "Frame requires too much memory for decoding") => {
            Some("decompress it first, with `zstd -dc --long=31`, for example into `-`")
        }
        (_, "Dictionary mismatch") => {
            Some("decompress it first with its dictionary, for example into `-`")
        }
        (ErrorKind::OutOfMemory | ErrorKind::Unsupported, _)
        | (_, "Allocation error : not enough memory" | "Unsupported frame parameter") => {
            Some("decompress it first with its own tool, for example into `-`")
        }
        _ => None,
    }
}
