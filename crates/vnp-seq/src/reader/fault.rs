//! The errors of reading one record, before they are given the input and the record's number.

use std::io;

use crate::error::FastqFault;
use crate::letters::LettersError;

/// Why a record could not be read.
pub(super) enum Fault {
    /// The text could not be read on.
    Read(io::Error),
    /// A header has a carriage return inside; `is_mac` if no line follows.
    CarriageReturn { is_mac: bool },
    /// A header is longer than the limit, in bytes.
    LongHeader { limit: usize },
    /// The letters could not be kept.
    Letters(LettersError),
    /// A FASTQ record breaks the format.
    Fastq { line: u64, id: Option<String>, fault: FastqFault, detail: String },
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Read(error)
    }
}
