//! Chunks without a stop-free frame.

use crate::ChunkPosition;
use crate::codon::{amino_acid, codon_codes, complement, upper};

/// A chunk of which a stop closes every frame that has a codon: the original has no row for it.
///
/// A chunk without a single codon of known letters (shorter than one, or nothing but unknown
/// letters) has neither open nor closed frames, and is none.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClosedChunk {
    /// `{record id}_chunk_{i}`, chunks counted from 1; not unique where record ids are not.
    pub id: String,
    /// 0-based number of the record in the whole input.
    pub record: u64,
    /// Where the chunk lies in the record.
    pub chunk: ChunkPosition,
    /// The chunk from its first base to its last, upper case, U as T, unknown letters kept.
    pub nucleotide: String,
}

impl ClosedChunk {
    /// The other strand; every letter outside A, C, G and T stays itself.
    ///
    /// ```
    /// use vnp_seq::{ChunkPosition, ClosedChunk};
    ///
    /// let chunk = ChunkPosition { index: 0, start_bp: 0, end_bp: 5 };
    /// let nucleotide = "TTAAN".to_owned();
    /// let closed = ClosedChunk { id: "r_chunk_1".to_owned(), record: 0, chunk, nucleotide };
    /// assert_eq!(closed.reverse_complement(), "NTTAA");
    /// ```
    #[must_use]
    pub fn reverse_complement(&self) -> String {
        reverse_complement(&self.nucleotide)
    }
}

/// The other strand of upper-case letters; every letter outside A, C, G and T stays itself.
///
/// ```
/// assert_eq!(vnp_seq::reverse_complement("TTAAN"), "NTTAA");
/// ```
#[must_use]
pub fn reverse_complement(nucleotides: &str) -> String {
    nucleotides.bytes().rev().map(|letter| char::from(complement(letter))).collect()
}

/// The text of a chunk that has no open frame; nothing if it has no codon either.
pub(crate) fn closed_text(chunk: &[u8]) -> Option<String> {
    let has_codon = codon_codes(chunk).into_iter().any(|codon| amino_acid(codon).is_some());
    has_codon.then(|| chunk.iter().map(|letter| char::from(upper(*letter))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::open_frames;

    #[track_caller]
    fn check(chunk: &str, expected: Option<&str>) {
        assert_eq!(open_frames(chunk.as_bytes()), [], "{chunk} has an open frame");
        assert_eq!(closed_text(chunk.as_bytes()).as_deref(), expected, "{chunk}");
    }

    #[test]
    fn a_chunk_is_closed_by_stops_and_not_by_having_no_codon() {
        check("TTAATTAATTAA", Some("TTAATTAATTAA"));
        check("uuaauuaauuaa", Some("TTAATTAATTAA"));
        check("TTAATTAATTAANN-R", Some("TTAATTAATTAANN-R"));
        check("", None);
        check("AC", None);
        check("NNNNNNNN", None);
        check("ACNACNAC", None);
    }
}
