//! Finding the ORFs of a chunk: its reading frames without a stop codon.
#![expect(
    clippy::indexing_slicing,
    reason = "positions are clipped to the chunk and its codons before they are used"
)]

use crate::codon::{
    REVERSE_STOP, STOP, UNKNOWN, amino_acid, codon_codes, complement, reverse_amino_acid,
    traits_by_phase, upper,
};
use crate::frame::Frame;

/// An open reading frame of a chunk: a frame without a stop codon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Orf {
    /// Which of the six.
    pub frame: Frame,
    /// The bases from the frame's first on, upper case: those that the protein's length needs and one
    /// more, if the chunk has it. (Each ambiguous codon that was dropped thus shortens the window.)
    pub nucleotide: String,
    /// The translation, never empty and without `*`; ambiguous codons are left out.
    pub protein: String,
}

/// The ORFs of a chunk in the order F1 F2 F3 R1 R2 R3.
///
/// Codons are translated by the standard code; one with a letter outside ACGT is dropped, which makes
/// the protein shorter. A frame is an ORF if its protein has an amino acid and no stop: it needs no
/// start codon and no minimum length. Case is ignored and U is read as T.
///
/// ```
/// let frames = vnp_seq::find_orfs(b"aucg");
/// let proteins: Vec<_> = frames.iter().map(|orf| orf.protein.as_str()).collect();
/// assert_eq!(proteins, ["I", "S", "R", "D"]);
/// assert_eq!(frames[0].nucleotide, "ATCG");
/// ```
#[must_use]
pub fn find_orfs(chunk: &[u8]) -> Vec<Orf> {
    let codons = codon_codes(chunk);
    let traits = traits_by_phase(&codons);
    Frame::ALL.into_iter().filter_map(|frame| find_orf(chunk, &codons, traits, frame)).collect()
}

/// The ORF of one frame, if it has no stop. `codons` are those of the forward strand, one for every
/// base except the last two; a reverse frame reads them backwards.
fn find_orf(
    chunk: &[u8],
    codons: &[u8],
    [first, second, third]: [u8; 3],
    frame: Frame,
) -> Option<Orf> {
    // Every frame reads every third codon from a phase 0, 1 or 2 on; a reverse frame starts at the end.
    let readable = codons.len().checked_sub(frame.offset()).filter(|count| *count > 0)?;
    let phase = if frame.is_reverse() { (readable - 1) % 3 } else { frame.offset() };
    let traits = match phase {
        0 => first,
        1 => second,
        _ => third,
    };
    let stop = if frame.is_reverse() { REVERSE_STOP } else { STOP };
    if traits & stop != 0 {
        return None;
    }
    let read = codons[phase..].iter().step_by(3);
    let all_known = traits & UNKNOWN == 0;
    let protein = if frame.is_reverse() {
        translate(read.rev(), all_known, reverse_amino_acid)
    } else {
        translate(read, all_known, amino_acid)
    };
    if protein.is_empty() {
        return None;
    }
    let nucleotide = window(chunk, frame, protein.len());
    Some(Orf { frame, nucleotide, protein })
}

/// The amino acids of codons. If all are known, the length of the protein is too, which is faster.
fn translate<'c>(
    codons: impl Iterator<Item = &'c u8>,
    all_known: bool,
    amino_acid: impl Fn(u8) -> Option<u8>,
) -> String {
    let known = |codon: &u8| {
        let letter = amino_acid(*codon);
        debug_assert!(letter.is_some(), "no codon is ambiguous");
        letter.unwrap_or(b'X')
    };
    ascii(if all_known {
        codons.map(known).collect()
    } else {
        codons.filter_map(|codon| amino_acid(*codon)).collect()
    })
}

/// `strand[offset .. offset + 1 + 3 * protein]`, clipped to the chunk.
fn window(chunk: &[u8], frame: Frame, protein_aa: usize) -> String {
    let left = chunk.len().saturating_sub(frame.offset());
    let length = left.min(1 + 3 * protein_aa);
    ascii(if frame.is_reverse() {
        chunk[left - length..left].iter().rev().map(|letter| complement(upper(*letter))).collect()
    } else {
        chunk[frame.offset()..][..length].iter().map(|letter| upper(*letter)).collect()
    })
}

/// The text of letters that are all ASCII, as those of `codon`'s tables and functions are.
fn ascii(letters: Vec<u8>) -> String {
    debug_assert!(letters.is_ascii());
    String::from_utf8(letters)
        .unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(chunk: &str, expected: &[(&str, &str, &str)]) {
        let found = find_orfs(chunk.as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|orf| (orf.frame.as_str(), orf.nucleotide.as_str(), orf.protein.as_str()))
            .collect();
        assert_eq!(found, expected, "{chunk}");
    }

    fn sizes(length: usize) -> Vec<(usize, usize)> {
        let chunk = vec![b'G'; length];
        let frames = find_orfs(&chunk);
        frames.iter().map(|orf| (orf.nucleotide.len(), orf.protein.len())).collect()
    }

    #[test]
    fn chunks_without_a_codon_have_no_frames() {
        check("", &[]);
        check("A", &[]);
        check("AC", &[]);
        check("NNNNNN", &[]);
        check("ACN", &[]);
    }

    #[test]
    fn short_chunks_follow_the_original() {
        check("TCG", &[("F1", "TCG", "S"), ("R1", "CGA", "R")]);
        check("TAA", &[("R1", "TTA", "L")]);
        check(
            "AATC",
            &[("F1", "AATC", "N"), ("F2", "ATC", "I"), ("R1", "GATT", "D"), ("R2", "ATT", "I")],
        );
    }

    #[test]
    fn an_ambiguous_codon_shortens_protein_and_window() {
        check(
            "GGGNGGGGG",
            &[
                ("F1", "GGGNGGG", "GG"),
                ("F2", "GGNG", "G"),
                ("F3", "GNGG", "G"),
                ("R1", "CCCCCNC", "PP"),
                ("R2", "CCCC", "P"),
                ("R3", "CCCN", "P"),
            ],
        );
    }

    #[test]
    fn case_and_u_make_no_difference_and_the_window_is_dna() {
        check("uCg", &[("F1", "TCG", "S"), ("R1", "CGA", "R")]);
    }

    #[test]
    fn windows_hold_one_base_more_than_the_codons_where_there_is_one() {
        assert_eq!(sizes(500)[..3], [(499, 166), (499, 166), (498, 166)]);
        assert_eq!(sizes(300)[..3], [(300, 100), (298, 99), (298, 99)]);
        assert_eq!(sizes(251)[..3], [(250, 83), (250, 83), (249, 83)]);
    }

    #[test]
    fn bytes_outside_ascii_are_unknown_letters() {
        assert_eq!(find_orfs(&[0xff, b'G', b'G', b'G', b'G']).len(), 4);
    }

    proptest! {
        #[test]
        fn orfs_hold_no_stop_and_lie_in_the_chunk(chunk in "[ACGTUNacgtuR-]{0,80}") {
            let dna = chunk.to_ascii_uppercase().replace('U', "T");
            let reverse: String = dna.bytes().rev().map(|b| char::from(complement(b))).collect();
            for orf in find_orfs(chunk.as_bytes()) {
                let strand = if orf.frame.is_reverse() { &reverse } else { &dna };
                prop_assert!(!orf.protein.is_empty() && !orf.protein.contains('*'));
                prop_assert!(strand[orf.frame.offset()..].starts_with(&orf.nucleotide));
                let left = strand.len() - orf.frame.offset();
                prop_assert_eq!(orf.nucleotide.len(), left.min(3 * orf.protein.len() + 1));
            }
        }
    }
}
