//! Letters, their complements and the standard genetic code.
//!
//! The functions of a single letter are arithmetic without branches, so that loops over them run on
//! vectors.

/// Bit set in the code of every letter outside A, C, G and T, and of every codon with such a letter.
const AMBIGUOUS: u8 = 64;

/// Amino acids by codon, in the order A, C, G, T of each position.
const AMINO_ACIDS: &[u8; 64] = b"KNKNTTTTRSRSIIMIQHQHPPPPRRRRLLLLEDEDAAAAGGGGVVVV*Y*YSSSS*CWCLFLF";

/// The codes of TAA, TAG and TGA, and of their reverse complements.
const STOPS: [u8; 3] = [0b11_00_00, 0b11_00_10, 0b11_10_00];
const REVERSE_STOPS: [u8; 3] = [0b11_11_00, 0b01_11_00, 0b11_01_00];

/// Traits of a codon, as bits: a stop; a reverse complement that is a stop; an ambiguous letter.
pub(crate) const STOP: u8 = 1;
pub(crate) const REVERSE_STOP: u8 = 2;
pub(crate) const UNKNOWN: u8 = 4;

const REVERSE_AMINO_ACIDS: [u8; 64] = reverse_table();

/// The letter as it appears in a frame: upper case, U as T, and N for bytes outside ASCII.
#[inline]
pub(crate) fn upper(letter: u8) -> u8 {
    let upper = letter.to_ascii_uppercase();
    let dna = upper.wrapping_sub(u8::from(upper == b'U'));
    if letter < 128 { dna } else { b'N' }
}

/// The complement of an upper-case letter; every letter outside A, C, G and T stays itself.
#[inline]
pub(crate) fn complement(letter: u8) -> u8 {
    match letter {
        b'A' => b'T',
        b'C' => b'G',
        b'G' => b'C',
        b'T' => b'A',
        other => other,
    }
}

/// The reverse complement of upper-case letters; every letter outside A, C, G and T stays itself.
///
/// ```
/// assert_eq!(vnp_seq::reverse_complement("TTAAN"), "NTTAA");
/// ```
#[must_use]
pub fn reverse_complement(nucleotides: &str) -> String {
    nucleotides.bytes().rev().map(|letter| char::from(complement(letter))).collect()
}

/// Whether the letter is A, C, G, T or U in any case.
#[inline]
pub(crate) fn is_base(letter: u8) -> bool {
    let lower = letter | 0x20;
    (lower == b'a') | (lower == b'c') | (lower == b'g') | (lower == b't') | (lower == b'u')
}

/// The codes of all codons of a chunk, one for every base except the last two.
pub(crate) fn codon_codes(chunk: &[u8]) -> Vec<u8> {
    let codes: Vec<u8> = chunk.iter().map(|letter| code(*letter)).collect();
    let second = codes.get(1..).unwrap_or_default();
    let third = codes.get(2..).unwrap_or_default();
    let codons = codes.iter().zip(second).zip(third);
    codons.map(|((first, second), third)| codon_code(*first, *second, *third)).collect()
}

/// The union of the traits of the codons at positions 0, 3, 6, … of a chunk, of those at 1, 4, 7, …
/// and of those at 2, 5, 8, …
pub(crate) fn traits_by_phase(codons: &[u8]) -> [u8; 3] {
    // A multiple of three keeps the phases apart, one of sixteen fills vectors.
    let mut joined = [0; 48];
    let (blocks, rest) = codons.as_chunks::<48>();
    for block in blocks {
        joined.iter_mut().zip(block).for_each(|(joined, codon)| *joined |= traits(*codon));
    }
    joined.iter_mut().zip(rest).for_each(|(joined, codon)| *joined |= traits(*codon));
    let (triples, _) = joined.as_chunks::<3>();
    triples.iter().fold([0; 3], |[a, b, c], [x, y, z]| [a | x, b | y, c | z])
}

/// The amino acid of a codon, `*` for a stop, `None` where a letter is ambiguous.
#[inline]
pub(crate) fn amino_acid(codon: u8) -> Option<u8> {
    AMINO_ACIDS.get(usize::from(codon)).copied()
}

/// The amino acid of the codon's reverse complement, as [`amino_acid`].
#[inline]
pub(crate) fn reverse_amino_acid(codon: u8) -> Option<u8> {
    REVERSE_AMINO_ACIDS.get(usize::from(codon)).copied()
}

#[inline]
fn traits(codon: u8) -> u8 {
    let is_any =
        |[first, second, third]: [u8; 3]| (codon == first) | (codon == second) | (codon == third);
    // Products would be checked for an overflow, which fills no vectors.
    let stop = if is_any(STOPS) { STOP } else { 0 };
    let reverse_stop = if is_any(REVERSE_STOPS) { REVERSE_STOP } else { 0 };
    let unknown = if codon & AMBIGUOUS != 0 { UNKNOWN } else { 0 };
    stop | reverse_stop | unknown
}

/// A 0, C 1, G 2, T and U 3 in any case; everything else is ambiguous.
#[inline]
fn code(letter: u8) -> u8 {
    // Bits 1 and 2 of the letters count A, C, T, G.
    let gray = (letter >> 1) & 3;
    let code = gray ^ (gray >> 1);
    if is_base(letter) { code } else { AMBIGUOUS }
}

#[inline]
fn codon_code(first: u8, second: u8, third: u8) -> u8 {
    let known = ((first & 3) << 4) | ((second & 3) << 2) | (third & 3);
    known | ((first | second | third) & AMBIGUOUS)
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn reverse_table() -> [u8; 64] {
    let mut table = [0; 64];
    let mut codon = 0;
    while codon < 64 {
        let reversed = (codon & 3) << 4 | (codon & 12) | codon >> 4;
        table[codon] = AMINO_ACIDS[reversed ^ 63];
        codon += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(codon: &str, expected: Option<char>) {
        let codes = codon_codes(codon.as_bytes());
        assert_eq!(codes.len(), 1);
        assert_eq!(amino_acid(codes[0]).map(char::from), expected, "{codon}");
        assert_eq!(traits(codes[0]) & STOP != 0, expected == Some('*'), "{codon}");
        let reverse: Vec<u8> =
            codon.bytes().rev().map(|letter| complement(upper(letter))).collect();
        let codes = codon_codes(&reverse);
        assert_eq!(reverse_amino_acid(codes[0]).map(char::from), expected, "{codon} reversed");
        let is_stop = traits(codes[0]) & REVERSE_STOP != 0;
        assert_eq!(is_stop, expected == Some('*'), "{codon} reversed");
    }

    #[test]
    fn codons_follow_the_standard_code() {
        check("ATG", Some('M'));
        check("TGG", Some('W'));
        check("TAA", Some('*'));
        check("TAG", Some('*'));
        check("TGA", Some('*'));
        check("ATA", Some('I'));
        check("AGA", Some('R'));
        check("CTG", Some('L'));
        check("TTA", Some('L'));
        check("AGC", Some('S'));
        check("GGG", Some('G'));
        check("CAT", Some('H'));
        check("AAA", Some('K'));
        check("TTT", Some('F'));
    }

    #[test]
    fn both_strands_know_three_stops() {
        let stops = |table: &[u8; 64]| table.iter().filter(|letter| **letter == b'*').count();
        assert_eq!((stops(AMINO_ACIDS), stops(&REVERSE_AMINO_ACIDS)), (3, 3));
    }

    #[test]
    fn case_and_u_make_no_difference() {
        check("atg", Some('M'));
        check("AUG", Some('M'));
        check("uaa", Some('*'));
    }

    #[test]
    fn a_codon_with_any_other_letter_has_no_amino_acid() {
        for letter in (0..=255u8).filter(|letter| !b"ACGTUacgtu".contains(letter)) {
            for codon in [[letter, b'T', b'G'], [b'A', letter, b'G'], [b'A', b'T', letter]] {
                let codes = codon_codes(&codon);
                assert_eq!(amino_acid(codes[0]), None, "{codon:?}");
                assert_eq!(reverse_amino_acid(codes[0]), None, "{codon:?}");
                assert_eq!(traits(codes[0]), UNKNOWN, "{codon:?}");
            }
        }
    }

    #[test]
    fn a_chunk_has_two_codons_less_than_bases() {
        for length in 0..6usize {
            assert_eq!(codon_codes(&vec![b'A'; length]).len(), length.saturating_sub(2));
        }
    }

    #[test]
    fn phases_are_kept_apart_at_any_length() {
        for length in 0..200 {
            for at in 0..length {
                let mut codons = vec![0; length];
                codons[at] = STOPS[at % 3];
                let mut expected = [0; 3];
                expected[at % 3] = STOP;
                assert_eq!(traits_by_phase(&codons), expected, "{at} of {length}");
            }
        }
    }

    #[test]
    fn only_a_c_g_t_have_complements() {
        for (letter, expected) in b"ACGTNRYKMX-".iter().zip(b"TGCANRYKMX-") {
            assert_eq!(complement(*letter), *expected);
        }
    }

    #[test]
    fn letters_are_shown_in_upper_case_dna() {
        for (letter, expected) in b"acgtuUNn-.\xff".iter().zip(b"ACGTTTNN-.N") {
            assert_eq!(upper(*letter), *expected);
        }
    }
}
