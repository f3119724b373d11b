//! The summary of what earlier sessions left, for a progress report.

/// What earlier sessions left, and what is still to be computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ResumeSummary {
    /// Rows of the run, of every track.
    pub rows: u64,
    /// Rows that are finished: their scores are durable, or their embeddings where these are the goal.
    pub rows_finished: u64,
    /// Good parts of every stage.
    pub parts: u64,
    /// Good parts with finished rows.
    pub finished_parts: u64,
    /// Parts that are to be computed: windows in which a row is not finished, those of bad parts
    /// not counted.
    pub missing_parts: u64,
    /// Bad parts, which are quarantined.
    pub bad_parts: u64,
    /// Rows to compute in the nucleotide stage.
    pub nucleotide_rows: u64,
    /// Rows to compute in the protein stage.
    pub protein_rows: u64,
    /// Rows to compute of chunks without an ORF.
    pub nucleotide_only_rows: u64,
}
