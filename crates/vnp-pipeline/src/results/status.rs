//! The status of a record in `sequences.tsv`.

/// The status of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// It has a score, of all of its rows.
    Scored,
    /// It has chunks, and nothing in them that was to be scored.
    NoOpenFrame,
    /// It is shorter than one codon.
    TooShort,
    /// It has no sequence.
    Empty,
    /// It is not a nucleotide sequence, or a row of it could not be computed.
    Failed,
}

impl Status {
    /// The word of the column `status`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Scored => "scored",
            Self::NoOpenFrame => "no_open_frame",
            Self::TooShort => "too_short",
            Self::Empty => "empty",
            Self::Failed => "failed",
        }
    }
}
