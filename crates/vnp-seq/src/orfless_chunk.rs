//! Chunks without an ORF, which are scored by their nucleotides only.

use std::sync::Arc;

use crate::chunk::ChunkPosition;
use crate::codon::{amino_acid, codon_codes, reverse_complement, upper};
use crate::head::RecordHead;

/// A chunk with a stop codon in every frame that has a codon: the original has no row for it.
///
/// A chunk without a single codon of known letters (too short, or only unknown letters) has nothing
/// to score, and does not count as one.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OrflessChunk {
    /// `{record id}_chunk_{i}`, chunks counted from 1; not unique where record ids are not.
    pub id: String,
    /// The record.
    pub record: Arc<RecordHead>,
    /// The position of the chunk in the record.
    pub chunk: ChunkPosition,
    /// The chunk from its first base to its last, upper case, U as T, unknown letters kept.
    pub nucleotide: String,
}

impl OrflessChunk {
    /// The reverse complement; every letter outside A, C, G and T stays itself.
    ///
    /// ```
    /// use vnp_seq::{ChunkPosition, OrflessChunk};
    ///
    /// let position = ChunkPosition { index: 0, start_bp: 0, end_bp: 5 };
    /// let nucleotide = "TTAAN".to_owned();
    /// let (id, record) = ("r_chunk_1".to_owned(), Default::default());
    /// let chunk = OrflessChunk { id, record, chunk: position, nucleotide };
    /// assert_eq!(chunk.reverse_complement(), "NTTAA");
    /// ```
    #[must_use]
    pub fn reverse_complement(&self) -> String {
        reverse_complement(&self.nucleotide)
    }
}

/// The text of a chunk without an ORF; `None` if it has no codon either.
pub(crate) fn orfless_text(chunk: &[u8]) -> Option<String> {
    let has_codon = codon_codes(chunk).into_iter().any(|codon| amino_acid(codon).is_some());
    has_codon.then(|| chunk.iter().map(|letter| char::from(upper(*letter))).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::orf::find_orfs;

    #[track_caller]
    fn check(chunk: &str, expected: Option<&str>) {
        assert_eq!(find_orfs(chunk.as_bytes()), [], "{chunk} has an ORF");
        assert_eq!(orfless_text(chunk.as_bytes()).as_deref(), expected, "{chunk}");
    }

    #[test]
    fn a_chunk_without_an_orf_has_a_codon() {
        check("TTAATTAATTAA", Some("TTAATTAATTAA"));
        check("uuaauuaauuaa", Some("TTAATTAATTAA"));
        check("TTAATTAATTAANN-R", Some("TTAATTAATTAANN-R"));
        check("", None);
        check("AC", None);
        check("NNNNNNNN", None);
        check("ACNACNAC", None);
    }
}
