use crate::part::Part;

/// Embedded frames to learn from.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// Values of a nucleotide embedding.
    pub nucleotide_size: usize,
    /// Values of a protein embedding.
    pub protein_size: usize,
    /// `[rows, nucleotide_size + protein_size]`, nucleotide first.
    pub features: Vec<f32>,
    /// What the rows are; those of one chunk lie side by side.
    pub rows: Vec<Row>,
    /// Groups of relatives.
    pub groups: Vec<Group>,
    /// The number of chunks.
    pub chunks: usize,
}

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The frame's id.
    pub id: String,
    /// Its chunk, from 0.
    pub chunk: usize,
    /// Its label.
    pub is_virus: bool,
    /// Its group, an index into [`Examples::groups`].
    pub group: usize,
}

/// Records that are relatives and never parted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// For reports.
    pub name: String,
    /// The kind of organism, for reports; empty where unknown.
    pub kind: String,
    /// What its rows are used for.
    pub part: Part,
}
