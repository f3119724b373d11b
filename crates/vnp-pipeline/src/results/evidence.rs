/// What a score rests on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Evidence {
    /// Open reading frames: both encoders and the head.
    Frames,
    /// Nucleotides alone: one encoder and the fallback head.
    DnaOnly,
}

impl Evidence {
    /// The word in the tables.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Frames => "frames",
            Self::DnaOnly => "dna_only",
        }
    }
}
