use std::fmt;

use crate::track::Track;

/// One step of a run. Its finished rows lie in parts below `OUT/checkpoints/{stage}`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stage {
    /// DNABERT-S embeddings of the frames' nucleotides.
    Nucleotide,
    /// ESM-2 embeddings of the frames' proteins.
    Protein,
    /// The head's two scores per frame.
    Scores,
    /// The fallback head's two scores per chunk without an open frame: the means of those of its
    /// two strands, each embedded by DNABERT-S from its first base to its last.
    DnaOnly,
}

impl Stage {
    /// The stages whose parts are deleted once their rows are scored.
    pub const EMBEDDINGS: [Self; 2] = [Self::Nucleotide, Self::Protein];
    /// The stages in which an encoder is at work, which is what takes time.
    pub const ENCODED: [Self; 3] = [Self::Nucleotide, Self::Protein, Self::DnaOnly];

    /// The rows that pass through it.
    #[must_use]
    pub fn track(self) -> Track {
        match self {
            Self::Nucleotide | Self::Protein | Self::Scores => Track::Frames,
            Self::DnaOnly => Track::ClosedChunks,
        }
    }

    /// The stage's directory below `checkpoints`, and the `kind` of its parts.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Nucleotide => "nucleotide",
            Self::Protein => "protein",
            Self::Scores => "scores",
            Self::DnaOnly => "dna_only",
        }
    }

    /// The tensor that holds the stage's values: `embedding` `[rows, hidden]` or `scores` `[rows, 2]`.
    #[must_use]
    pub fn tensor(self) -> &'static str {
        match self {
            Self::Nucleotide | Self::Protein => "embedding",
            Self::Scores | Self::DnaOnly => "scores",
        }
    }
}

impl fmt::Display for Stage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
