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

/// Whether a decoder refused what it cannot do, which is not damage. The texts are those of libzstd.
pub(crate) fn is_limit(error: &Error) -> bool {
    const ZSTD: [&str; 4] = [
        "Allocation error : not enough memory",
        "Dictionary mismatch",
        "Frame requires too much memory for decoding",
        "Unsupported frame parameter",
    ];
    matches!(error.kind(), ErrorKind::OutOfMemory | ErrorKind::Unsupported)
        || ZSTD.contains(&error.to_string().as_str())
}
