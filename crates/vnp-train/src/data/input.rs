//! What a user gives to learn from.

use std::path::PathBuf;

/// A file or directory to learn from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Input {
    /// Records: a FASTA, FASTQ or GenBank file, plain or compressed, recognised by its content.
    /// Embeddings: the output directory of a run that kept them, or a training file of VirNucPro.
    pub path: PathBuf,
    /// The label of all its records or rows; `None` where a table of labels, or the file, states it
    /// for each.
    pub is_virus: Option<bool>,
}
