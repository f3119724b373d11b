//! The evidence that a score rests on: ORFs, or nucleotides alone.

/// What a score rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Open reading frames: both encoders and the head.
    Frames,
    /// Nucleotides alone: one encoder and the fallback head.
    NucleotideOnly,
}

impl Evidence {
    /// The word in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::NucleotideOnly => "dna_only",
        }
    }
}
