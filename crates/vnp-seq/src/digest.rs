//! A digest of an input's records that does not depend on how its files are written.

use std::fmt;

use sha2::{Digest, Sha256};

use crate::codon::upper;
use crate::letters::{Letters, ScratchError};

/// SHA-256 over the records of an input in order: independent of file names, of how the records are
/// spread over files, of compression, of line width and of case.
///
/// For every record: the length of its id in bytes (u64, little-endian), the id as it stands in the
/// header, the number of its
/// letters (u64, little-endian), the letters in upper case with U as T.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InputDigest(String);

impl InputDigest {
    /// The digest as 64 hexadecimal digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for InputDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Computes the [`InputDigest`] of a stream of records.
#[derive(Debug, Clone, Default)]
pub(crate) struct Digester {
    hash: Sha256,
    buffer: Vec<u8>,
}

impl Digester {
    /// Adds a record: its id as it stands in the header, and its letters.
    pub(crate) fn update(&mut self, id: &[u8], letters: &mut Letters) -> Result<(), ScratchError> {
        self.hash.update((id.len() as u64).to_le_bytes());
        self.hash.update(id);
        self.hash.update((letters.len() as u64).to_le_bytes());
        letters.each(|piece| {
            for letters in piece.chunks(16 * 1024) {
                self.buffer.clear();
                self.buffer.extend(letters.iter().map(|letter| digest_letter(*letter)));
                self.hash.update(&self.buffer);
            }
        })
    }

    pub(crate) fn finish(&self) -> InputDigest {
        let digest = self.hash.clone().finalize();
        InputDigest(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

/// Unlike in a frame, bytes outside ASCII are kept, so that inputs that differ in them have different digests.
fn digest_letter(letter: u8) -> u8 {
    if letter.is_ascii() { upper(letter) } else { letter }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn digest(records: &[(&str, &[u8])]) -> String {
        let mut digester = Digester::default();
        for (id, sequence) in records {
            let mut letters = Letters::Memory(sequence.to_vec());
            digester.update(id.as_bytes(), &mut letters).unwrap();
        }
        digester.finish().to_string()
    }

    #[test]
    fn the_digest_is_the_documented_one() {
        let mut bytes = Vec::new();
        bytes.extend(2u64.to_le_bytes());
        bytes.extend(b"r1");
        bytes.extend(4u64.to_le_bytes());
        bytes.extend(b"ACGT");
        let expected: String = Sha256::digest(&bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(digest(&[("r1", b"acgu")]), expected);
        assert_eq!(digest(&[("r1", b"ACGT")]), expected);
    }

    #[test]
    fn different_inputs_have_different_digests() {
        let inputs: [&[(&str, &[u8])]; 7] = [
            &[],
            &[("r1", b"ACGT")],
            &[("r1", b"ACGA")],
            &[("r", b"ACGT")],
            &[("r1", b"AC"), ("", b"GT")],
            &[("r1", b"ACGT"), ("", b"")],
            &[("r1", b"ACG\xff")],
        ];
        let digests: std::collections::HashSet<_> = inputs.iter().map(|i| digest(i)).collect();
        assert_eq!(digests.len(), inputs.len());
    }
}
