//! What the first reading of the input found.

use std::collections::BTreeMap;

use vnp_job::parts::Track;

/// What the first reading of the input found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Records of every kind.
    pub records: u64,
    /// Their bases.
    pub bases: u64,
    /// Records whose id an earlier record of the same file has; 0 where that was not counted.
    pub duplicate_ids: u64,
    /// Chunks cut from them.
    pub chunks: u64,
    /// ORFs (stop-free reading frames): the rows of [`Track::Frames`].
    pub rows: u64,
    /// Chunks without an ORF: the rows of [`Track::OrflessChunks`]; 0 in a run that does not score them.
    pub orfless_chunks: u64,
    /// Records without an ORF.
    pub no_open_frame: u64,
    /// Records shorter than one codon.
    pub too_short: u64,
    /// Records without a sequence.
    pub empty: u64,
    /// Records that are not a nucleotide sequence.
    pub failed: u64,
    /// Whether an input may be truncated: BGZF without its empty last block.
    pub maybe_truncated: bool,
    /// SHA-256 over ids and sequences in order.
    pub input_digest: String,
}

impl Survey {
    /// The rows of a track.
    #[must_use]
    pub fn rows_of(&self, track: Track) -> u64 {
        match track {
            Track::Frames => self.rows,
            Track::OrflessChunks => self.orfless_chunks,
        }
    }

    /// The rows of every track.
    pub(crate) fn total_rows(&self) -> BTreeMap<Track, u64> {
        Track::ALL.into_iter().map(|track| (track, self.rows_of(track))).collect()
    }
}
