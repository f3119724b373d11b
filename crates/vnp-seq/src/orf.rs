//! The stop-free frames of a chunk.

use crate::Frame;
use crate::codon::{
    REVERSE_STOP, STOP, UNKNOWN, amino_acid, codon_codes, complement, reverse_amino_acid,
    traits_by_phase, upper,
};

/// A reading frame of a chunk without a stop codon.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct OpenFrame {
    /// Which of the six.
    pub frame: Frame,
    /// The window of its strand, upper case: one base more than the codons of the protein need where
    /// the chunk has one, and nothing of the codons that were dropped at the end.
    pub nucleotide: String,
    /// Its translation, never empty and without `*`; ambiguous codons are left out.
    pub protein: String,
}

/// The stop-free frames of a chunk in the order F1 F2 F3 R1 R2 R3.
///
/// The standard code; a codon with any letter outside ACGT is dropped, so that the protein shortens;
/// a frame is kept when its protein holds an amino acid and no stop. There is no start codon and no
/// minimum length. Case is ignored and U is read as T.
///
/// ```
/// let frames = vnp_seq::open_frames(b"aucg");
/// let proteins: Vec<_> = frames.iter().map(|open| open.protein.as_str()).collect();
/// assert_eq!(proteins, ["I", "S", "R", "D"]);
/// assert_eq!(frames[0].nucleotide, "ATCG");
/// ```
#[must_use]
pub fn open_frames(chunk: &[u8]) -> Vec<OpenFrame> {
    let codons = codon_codes(chunk);
    let traits = traits_by_phase(&codons);
    let open = |frame| open_frame(chunk, &codons, traits, frame);
    Frame::ALL.into_iter().filter_map(open).collect()
}

/// The frame, if it is open. `codons` holds a code for every base of the forward strand that has two
/// more behind it; a reverse frame reads them backwards.
fn open_frame(
    chunk: &[u8],
    codons: &[u8],
    [first, second, third]: [u8; 3],
    frame: Frame,
) -> Option<OpenFrame> {
    // Both strands read whole phases of the codons, the reverse one from the last codon down.
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
    let read = codons.get(phase..)?.iter().step_by(3);
    let protein = match (frame.is_reverse(), traits & UNKNOWN != 0) {
        (false, false) => read.map(|codon| amino_acid(*codon).unwrap_or_default()).collect(),
        (true, false) => {
            read.rev().map(|codon| reverse_amino_acid(*codon).unwrap_or_default()).collect()
        }
        (false, true) => read.filter_map(|codon| amino_acid(*codon)).collect(),
        (true, true) => read.rev().filter_map(|codon| reverse_amino_acid(*codon)).collect(),
    };
    let protein = ascii(protein);
    if protein.is_empty() {
        return None;
    }
    let nucleotide = window(chunk, frame, protein.len());
    Some(OpenFrame { frame, nucleotide, protein })
}

/// `strand[offset .. offset + 1 + 3 * protein]`, clipped to the chunk.
fn window(chunk: &[u8], frame: Frame, protein_aa: usize) -> String {
    let left = chunk.len().saturating_sub(frame.offset());
    let length = left.min(1 + 3 * protein_aa);
    ascii(if frame.is_reverse() {
        let strand = chunk.get(left - length..left).unwrap_or_default();
        strand.iter().rev().map(|letter| complement(upper(*letter))).collect()
    } else {
        let strand = chunk.get(frame.offset()..frame.offset() + length).unwrap_or_default();
        strand.iter().map(|letter| upper(*letter)).collect()
    })
}

/// Every letter comes out of a table of ASCII, so that the conversion cannot fail.
fn ascii(letters: Vec<u8>) -> String {
    String::from_utf8(letters).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(chunk: &str, expected: &[(&str, &str, &str)]) {
        let found = open_frames(chunk.as_bytes());
        let found: Vec<_> = found
            .iter()
            .map(|open| (open.frame.as_str(), open.nucleotide.as_str(), open.protein.as_str()))
            .collect();
        assert_eq!(found, expected, "{chunk}");
    }

    fn sizes(length: usize) -> Vec<(usize, usize)> {
        let chunk = vec![b'G'; length];
        let frames = open_frames(&chunk);
        frames.iter().map(|open| (open.nucleotide.len(), open.protein.len())).collect()
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
        assert_eq!(open_frames(&[0xff, b'G', b'G', b'G', b'G']).len(), 4);
    }

    proptest! {
        #[test]
        fn open_frames_hold_no_stop_and_lie_in_the_chunk(chunk in "[ACGTUNacgtuR-]{0,80}") {
            let dna = chunk.to_ascii_uppercase().replace('U', "T");
            let reverse: String = dna.bytes().rev().map(|b| char::from(complement(b))).collect();
            for open in open_frames(chunk.as_bytes()) {
                let strand = if open.frame.is_reverse() { &reverse } else { &dna };
                prop_assert!(!open.protein.is_empty() && !open.protein.contains('*'));
                prop_assert!(strand[open.frame.offset()..].starts_with(&open.nucleotide));
                let left = strand.len() - open.frame.offset();
                prop_assert_eq!(open.nucleotide.len(), left.min(3 * open.protein.len() + 1));
            }
        }
    }
}
