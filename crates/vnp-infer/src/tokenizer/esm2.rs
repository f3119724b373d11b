//! The alphabet of ESM-2: one token per residue.

use super::Tokenizer;
use crate::error::Error;

/// A masked residue, which no text contains.
pub(crate) const MASK: u32 = 32;
/// The number of tokens in the alphabet.
pub(crate) const ALPHABET_SIZE: usize = 33;
/// The residues of a protein that are read: a longer one is cut here, as fair-esm's extraction and with it the
/// original VirNucPro do.
pub(crate) const MAX_RESIDUES: usize = 1024;

const START: u32 = 0;
const END: u32 = 2;
const UNKNOWN: u32 = 3;
/// The letters in the order of their ids; the first is 4.
const LETTERS: &str = "LAGVSERTIDPKQNFYMHWCXBUZO.-";
const FIRST_LETTER: u32 = 4;

/// `<cls>`, the first 1,024 residues, `<eos>`. A character outside the alphabet, lower case
/// included, is one `<unk>`.
pub(crate) fn tokenize(protein: &str) -> Vec<u32> {
    let residues = protein.chars().take(MAX_RESIDUES).map(token);
    std::iter::once(START).chain(residues).chain(std::iter::once(END)).collect()
}

/// Whether a letter is in the alphabet: an upper-case residue code or a gap. Any other one is `<unk>`.
///
/// ```
/// assert!(vnp_infer::is_esm2_letter(b'U') && vnp_infer::is_esm2_letter(b'-'));
/// assert!(!vnp_infer::is_esm2_letter(b'J') && !vnp_infer::is_esm2_letter(b'*'));
/// ```
#[must_use]
pub fn is_esm2_letter(letter: u8) -> bool {
    LETTERS.as_bytes().contains(&letter)
}

/// The tokenizer of ESM-2.
#[derive(Debug, Clone, Copy)]
pub struct Esm2Tokenizer;

impl Tokenizer for Esm2Tokenizer {
    const ENCODER: &'static str = "esm2";

    fn tokenize(&self, protein: &str) -> Result<Vec<u32>, Error> {
        Ok(tokenize(protein))
    }
}

fn token(residue: char) -> u32 {
    LETTERS
        .chars()
        .position(|letter| letter == residue)
        .and_then(|index| u32::try_from(index).ok())
        .map_or(UNKNOWN, |index| FIRST_LETTER + index)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(protein: &str, expected: &[u32]) {
        assert_eq!(tokenize(protein), expected);
    }

    #[test]
    fn letters_have_their_ids() {
        check("", &[0, 2]);
        check("LAMC", &[0, 4, 5, 20, 23, 2]);
        check("XBUZO.-", &[0, 24, 25, 26, 27, 28, 29, 30, 2]);
    }

    #[test]
    fn other_characters_are_unknown() {
        check("lJ* é", &[0, 3, 3, 3, 3, 3, 2]);
        check("<mask>", &[0, 3, 3, 3, 3, 3, 3, 2]);
    }

    #[test]
    fn long_proteins_are_cut() {
        assert_eq!(tokenize(&"A".repeat(1024)).len(), 1026);
        assert_eq!(tokenize(&"A".repeat(1025)), tokenize(&"A".repeat(1024)));
    }
}
