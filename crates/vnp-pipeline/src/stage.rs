use std::fmt;

/// One step of a run. Its finished rows lie in parts below `OUT/checkpoints/{stage}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// DNABERT-S embeddings of the frames' nucleotides.
    Nucleotide,
    /// ESM-2 embeddings of the frames' proteins.
    Protein,
    /// The head's two scores per frame.
    Scores,
}

impl Stage {
    /// Every stage, in the order in which a window passes through them.
    pub const ALL: [Self; 3] = [Self::Nucleotide, Self::Protein, Self::Scores];
    /// The stages whose parts are deleted once their rows are scored.
    pub const EMBEDDINGS: [Self; 2] = [Self::Nucleotide, Self::Protein];

    /// The stage's directory below `checkpoints`, and the `kind` of its parts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nucleotide => "nucleotide",
            Self::Protein => "protein",
            Self::Scores => "scores",
        }
    }

    /// The tensor that holds the stage's values: `embedding` `[rows, hidden]` or `scores` `[rows, 2]`.
    #[must_use]
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Nucleotide | Self::Protein => "embedding",
            Self::Scores => "scores",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
