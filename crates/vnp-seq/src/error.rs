//! The errors of reading an input.

use std::io;
use std::path::PathBuf;

use vnp_escape::{escaped, escaped_path, sentence, shown};

use crate::compression::Compression;

/// Why an input could not be read. A record that is empty, short or not a nucleotide sequence is not
/// an error but a [`RecordStatus`](crate::RecordStatus).
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A chunk must hold at least one codon.
    #[error("chunk length {found} bp is shorter than a codon: give at least 3 bp")]
    ChunkLength {
        /// The length asked for, in bp.
        found: u32,
    },

    /// A text that names none of the six frames.
    #[error(
        "'{found}' is not a reading frame: give one of F1, F2, F3, R1, R2, R3",
        found = shown(found)
    )]
    FrameName {
        /// The text.
        found: String,
    },

    /// The file could not be opened or read.
    #[error("{}: {cause}", escaped_path(path), cause = escaped(cause))]
    Io {
        /// The input.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },

    /// A compressed input stops before its own end.
    #[error(
        "{}: the {compression} data ends early, in record {record} after {byte} uncompressed bytes \
         ({cause}): the file is truncated, copy or download it again",
        escaped_path(path), cause = escaped(cause)
    )]
    Truncated {
        /// The input.
        path: PathBuf,
        /// The compression of the input.
        compression: Compression,
        /// The record that could not be completed, counted from 1.
        record: u64,
        /// Uncompressed bytes before the end.
        byte: u64,
        /// The decoder's error.
        cause: io::Error,
    },

    /// A compressed input that does not decode.
    #[error(
        "{}: damaged {compression} data in record {record} after {byte} uncompressed bytes \
         ({cause}): copy or download the file again",
        escaped_path(path), cause = escaped(cause)
    )]
    Corrupt {
        /// The input.
        path: PathBuf,
        /// The compression of the input.
        compression: Compression,
        /// The record that could not be completed, counted from 1.
        record: u64,
        /// Uncompressed bytes that could be decoded.
        byte: u64,
        /// The decoder's error.
        cause: io::Error,
    },

    /// Complete compressed data, followed by bytes that are not a part of it.
    #[error(
        "{}: the first {position} bytes of the file are complete {compression} data, and what follows \
         them is not (trailing garbage): if nothing is missing, keep only these bytes, for example \
         with `head -c {position}`",
        escaped_path(path)
    )]
    TrailingBytes {
        /// The input.
        path: PathBuf,
        /// The compression of the input.
        compression: Compression,
        /// The length of the complete data in the file.
        position: u64,
    },

    /// A BGZF input without its empty last block, in a [strict](crate::RecordReader::strict) reader.
    #[error(
        "{}: the empty block that ends a BGZF file is missing after record {record}: the file may have \
         been truncated between two blocks; copy or download it again, or read it as it is, without \
         the strict check",
        escaped_path(path)
    )]
    NoEndBlock {
        /// The input.
        path: PathBuf,
        /// The number of records that were read.
        record: u64,
    },

    /// Compressed data that needs an ability or more memory than its decoder has.
    #[error(
        "{}: its {compression} data need not be damaged, but cannot be decoded here ({cause}): {remedy}",
        escaped_path(path), cause = escaped(cause)
    )]
    Limit {
        /// The input.
        path: PathBuf,
        /// The compression of the input.
        compression: Compression,
        /// The remedy.
        remedy: &'static str,
        /// The decoder's error.
        cause: io::Error,
    },

    /// The process may not have as much memory as a record takes.
    #[error(
        "{}: not enough memory to hold record {record}: raise the memory limit of the process or job, or leave the record out",
        escaped_path(path)
    )]
    Memory {
        /// The input.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
    },

    /// A known format that is not supported.
    #[error("{}: it is {format}, which is not read: {remedy}", escaped_path(path))]
    Unsupported {
        /// The input.
        path: PathBuf,
        /// The format's name.
        format: &'static str,
        /// The remedy.
        remedy: &'static str,
    },

    /// The text starts with neither `>` (FASTA) nor `@` (FASTQ).
    #[error(
        "{}: neither FASTA nor FASTQ: the text starts with {} where '>' or '@' was expected",
        escaped_path(path), display_byte(*found)
    )]
    UnknownFormat {
        /// The input.
        path: PathBuf,
        /// The first byte that is not white space.
        found: u8,
    },

    /// A header holds a carriage return. If it is the only line, lines end in one (old Macintosh files), and
    /// the sequence would be read as part of the header.
    #[error(
        "{}: record {record} has a carriage return inside its header: {}",
        escaped_path(path),
        if *is_mac {
            "convert the line ends to LF (for example with `tr '\\r' '\\n'`)"
        } else {
            "remove it (for example with `tr -d '\\r'`)"
        }
    )]
    CarriageReturn {
        /// The input.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
        /// Whether no other line follows.
        is_mac: bool,
    },

    /// A header that is longer than any id and description.
    #[error(
        "{}: the header of record {record} is longer than {limit} bytes: is a line end missing in the file?",
        escaped_path(path)
    )]
    LongHeader {
        /// The input.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
        /// Bytes of a header at most.
        limit: usize,
    },

    /// The letters of a long record could not be written to a temporary file, or read from it.
    #[error(
        "{}: the letters of a long record cannot be kept in a temporary file in this directory ({cause})",
        escaped_path(path), cause = escaped(cause)
    )]
    Scratch {
        /// The directory.
        path: PathBuf,
        /// The system's error.
        cause: io::Error,
    },

    /// A FASTQ record that does not follow the format.
    #[error(
        "{}: FASTQ record {record} at line {line}{}: {fault} ({detail}): a record is a \
         header, a sequence, a line with '+' and a quality as long as the sequence",
        escaped_path(path), display_id(id), detail = sentence(detail)
    )]
    Fastq {
        /// The input.
        path: PathBuf,
        /// The record, counted from 1.
        record: u64,
        /// The line of the uncompressed text, counted from 1.
        line: u64,
        /// The record's id, where it could be read.
        id: Option<String>,
        /// The violation of the format.
        fault: FastqFault,
        /// The expected and the actual value.
        detail: String,
    },
}

/// The violations of the FASTQ format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FastqFault {
    /// Sequence and quality differ in length.
    #[error("sequence and quality differ in length")]
    QualityLength,
    /// The sequence is not followed by a line that starts with `+`.
    #[error("no line that starts with '+' follows the sequence")]
    Separator,
    /// A record does not start with `@`.
    #[error("the first line does not start with '@'")]
    Start,
    /// The input stops inside the record.
    #[error("the input ends inside the record")]
    End,
}

/// A byte for a message: quoted if printable, otherwise in hexadecimal.
pub(crate) fn display_byte(byte: u8) -> String {
    if byte.is_ascii_graphic() {
        format!("'{}'", char::from(byte))
    } else {
        format!("byte 0x{byte:02x}")
    }
}

fn display_id(id: &Option<String>) -> String {
    id.as_ref().map(|id| format!(" ('{}')", shown(id))).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(byte: u8, expected: &str) {
        assert_eq!(display_byte(byte), expected);
    }

    #[test]
    fn printable_bytes_are_quoted_and_others_are_hexadecimal() {
        check(b'E', "'E'");
        check(b'*', "'*'");
        check(0, "byte 0x00");
        check(b' ', "byte 0x20");
        check(0xff, "byte 0xff");
    }
}
