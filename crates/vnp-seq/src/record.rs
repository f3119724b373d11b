//! One record of an input, and the check that its letters are nucleotide codes.

use std::borrow::Cow;
use std::fmt;

use crate::codon::is_base;
use crate::error::display_byte;
use crate::id::raw_id;

const KNOWN: [bool; 256] = known_table();

/// A record: its id and its letters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Record {
    /// The header up to the first blank or tab, as text: see [`raw_id`](Self::raw_id).
    pub id: String,
    /// Whether the id has bytes that are not UTF-8: they and `%` are percent-encoded in its text.
    pub id_is_encoded: bool,
    /// The letters in their own case, without line ends and blanks; U is written as T.
    pub sequence: Vec<u8>,
}

/// A letter that cannot stand in a nucleotide sequence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct InvalidLetter {
    /// The letter.
    pub letter: u8,
    /// Its position in the sequence, counted from 1.
    pub position: u64,
}

impl Record {
    /// The id as it stands in the header.
    ///
    /// ```
    /// use std::path::Path;
    ///
    /// let text = b">caf\xe9 a description\nACGT\n".as_slice();
    /// let mut reader = vnp_seq::RecordReader::from_reader(Path::new("x.fa"), Box::new(text))?;
    /// let record = reader.next_record()?.ok_or("a record")?;
    /// assert_eq!((record.id.as_str(), &*record.raw_id()), ("caf%E9", b"caf\xe9".as_slice()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn raw_id(&self) -> Cow<'_, [u8]> {
        raw_id(&self.id, self.id_is_encoded)
    }

    /// The first letter that is neither an IUPAC nucleotide code nor a gap (`-`, `.`) nor `X`.
    ///
    /// ```
    /// let record = vnp_seq::Record { sequence: b"MKVLE".to_vec(), ..Default::default() };
    /// let letter = record.invalid_letter().map(|letter| letter.to_string());
    /// assert_eq!(letter.as_deref(), Some("letter 'L' at position 4 is not a nucleotide code: is this protein?"));
    /// ```
    #[must_use]
    pub fn invalid_letter(&self) -> Option<InvalidLetter> {
        invalid_letter(&self.sequence, 0)
    }
}

/// The first letter that is not a nucleotide code, in a piece of a sequence behind `before` letters.
pub(crate) fn invalid_letter(sequence: &[u8], mut before: u64) -> Option<InvalidLetter> {
    for block in sequence.chunks(256) {
        // Most blocks consist of bases only, which is faster to check than the whole alphabet.
        let only_bases = block.iter().fold(true, |all, letter| all & is_base(*letter));
        let mut unknown = block.iter().zip(1..).filter(|(letter, _)| !is_known(**letter));
        if !only_bases && let Some((&letter, number)) = unknown.next() {
            return Some(InvalidLetter { letter, position: before + number });
        }
        before += block.len() as u64;
    }
    None
}

impl fmt::Display for InvalidLetter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let letter = display_byte(self.letter);
        write!(f, "letter {letter} at position {} is not a nucleotide code", self.position)?;
        if self.letter.is_ascii_alphabetic() || self.letter == b'*' {
            f.write_str(": is this protein?")?;
        }
        Ok(())
    }
}

#[expect(clippy::indexing_slicing, reason = "a byte is always inside a table of 256")]
fn is_known(letter: u8) -> bool {
    KNOWN[letter as usize]
}

#[expect(clippy::indexing_slicing, reason = "evaluated at compile time")]
const fn known_table() -> [bool; 256] {
    let letters = b"ACGTUNRYSWKMBDHVX";
    let mut table = [false; 256];
    let mut i = 0;
    while i < letters.len() {
        table[letters[i] as usize] = true;
        table[letters[i].to_ascii_lowercase() as usize] = true;
        i += 1;
    }
    table[b'-' as usize] = true;
    table[b'.' as usize] = true;
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check_letters(sequence: &str, expected: Option<(char, u64)>) {
        let record = Record { sequence: sequence.into(), ..Record::default() };
        let found = record.invalid_letter().map(|found| (char::from(found.letter), found.position));
        assert_eq!(found, expected, "{sequence}");
    }

    #[test]
    fn nucleotide_codes_gaps_and_x_are_letters() {
        check_letters("ACGTUNRYSWKMBDHVXacgtunryswkmbdhvx-.", None);
        check_letters("", None);
        check_letters("ACGE", Some(('E', 4)));
        check_letters("ACG*", Some(('*', 4)));
        check_letters(&format!("{}NN-AC*G", "ACGT".repeat(200)), Some(('*', 806)));
        check_letters("\u{1}A", Some(('\u{1}', 1)));
        for letter in "EFIJLOPQZ".chars() {
            check_letters(&letter.to_string(), Some((letter, 1)));
        }
    }

    #[test]
    fn a_byte_that_cannot_be_an_amino_acid_raises_no_question() {
        let found = InvalidLetter { letter: 0, position: 7 };
        assert_eq!(found.to_string(), "letter byte 0x00 at position 7 is not a nucleotide code");
    }
}
