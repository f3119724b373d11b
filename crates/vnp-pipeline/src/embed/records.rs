//! Records as they are embedded: their letters made ready for the encoder, or why they cannot be.

use std::path::Path;

use sha2::{Digest, Sha256};
use vnp_job::parts::RowSource;
use vnp_seq::{Record, RecordReader};

use super::options::RecordReading;
use crate::error::Error;

/// One record: a row of the output.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct EmbedRecord {
    pub(super) id: String,
    /// What the encoder reads: upper case, without the stop codons at a protein's end.
    pub(super) letters: String,
    /// Why it cannot be embedded, if it cannot.
    pub(super) failure: Option<String>,
    /// A letter outside of the alphabet of ESM-2 and its position from 1 on, in a protein.
    pub(super) unknown: Option<(char, u64)>,
}

/// An input that is read several times.
#[derive(Clone, Copy)]
pub(super) struct RecordSource<'a> {
    /// The file that is read: that of the caller, or the copy of a stream.
    pub(super) path: &'a Path,
    /// What messages call the input.
    pub(super) name: &'a Path,
    pub(super) reading: RecordReading,
}

/// The records of an input, read once more, and the digest of those that were read.
pub(super) struct Records {
    reader: RecordReader,
    reading: RecordReading,
    digest: Sha256,
}

impl RecordSource<'_> {
    /// Reads from the first record on.
    pub(super) fn open(&self) -> Result<Records, Error> {
        let reader = RecordReader::open_as(self.path, self.name)?;
        let reader = match self.reading {
            RecordReading::Nucleotides => reader,
            // In proteins U is selenocysteine.
            RecordReading::Proteins(_) => reader.keep_u(),
        };
        Ok(Records { reader, reading: self.reading, digest: Sha256::new() })
    }
}

impl Records {
    pub(super) fn next(&mut self) -> Result<Option<EmbedRecord>, Error> {
        let Some(record) = self.reader.next_record()? else { return Ok(None) };
        self.add(&record.raw_id());
        let record = match self.reading {
            RecordReading::Nucleotides => EmbedRecord::of_nucleotides(record),
            RecordReading::Proteins(_) => EmbedRecord::of_protein(record),
        };
        self.add(record.letters.as_bytes());
        Ok(Some(record))
    }

    fn add(&mut self, bytes: &[u8]) {
        self.digest.update((bytes.len() as u64).to_le_bytes());
        self.digest.update(bytes);
    }

    /// SHA-256 over ids, as they stand in the input, and letters of the records so far, the length of each before it.
    pub(super) fn digest(&self) -> String {
        let digest = self.digest.clone().finalize();
        digest.iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

impl EmbedRecord {
    /// Id and letters, from which the row follows.
    pub(super) fn source(&self) -> RowSource<'_> {
        RowSource { id: &self.id, nucleotide: &self.letters }
    }

    fn of_nucleotides(record: Record) -> Self {
        let failure = match record.invalid_letter() {
            _ if record.sequence.is_empty() => Some("it has no sequence".to_owned()),
            letter => letter.map(|letter| letter.to_string()),
        };
        Self { letters: upper(&record.sequence), id: record.id, failure, unknown: None }
    }

    fn of_protein(record: Record) -> Self {
        let mut letters = upper(&record.sequence);
        // A translation ends at its stop codon, or at several of them in a row.
        let residues = letters.trim_end_matches('*').len();
        let failure = match (letters.is_empty(), residues) {
            (true, _) => Some("it has no sequence".to_owned()),
            (false, 0) => Some("it has no residues before its stop codon (*)".to_owned()),
            _ => None,
        };
        letters.truncate(residues);
        let is_known = |letter: char| u8::try_from(letter).is_ok_and(vnp_infer::is_esm2_letter);
        let mut positions = (1_u64..).zip(letters.chars());
        let unknown = positions.find(|(_, letter)| !is_known(*letter));
        Self {
            unknown: unknown.map(|(position, letter)| (letter, position)),
            id: record.id,
            letters,
            failure,
        }
    }
}

/// Bytes that are not UTF-8 become U+FFFD, which is no letter of any alphabet.
fn upper(letters: &[u8]) -> String {
    let mut text = String::from_utf8_lossy(letters).into_owned();
    text.make_ascii_uppercase();
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(letters: &str) -> Record {
        Record { id: "p".to_owned(), sequence: letters.into(), ..Record::default() }
    }

    #[track_caller]
    fn check_protein(letters: &str, read: &str, unknown: Option<(char, u64)>) {
        let found = EmbedRecord::of_protein(record(letters));
        assert_eq!((found.letters.as_str(), found.unknown), (read, unknown));
        assert_eq!(found.failure.is_some(), read.is_empty());
    }

    #[test]
    fn a_protein_loses_its_final_stop_and_no_other_letter() {
        check_protein("MKV", "MKV", None);
        check_protein("MKV*", "MKV", None);
        check_protein("MKV**", "MKV", None);
        check_protein("mkuxbzo-.", "MKUXBZO-.", None);
        check_protein("MK*V*", "MK*V", Some(('*', 3)));
        check_protein("*MK", "*MK", Some(('*', 1)));
        check_protein("MKJ", "MKJ", Some(('J', 3)));
        check_protein("MK1", "MK1", Some(('1', 3)));
        check_protein("Mé", "Mé", Some(('é', 2)));
        check_protein("", "", None);
        check_protein("*", "", None);
    }

    #[track_caller]
    fn check_nucleotides(letters: &str, failure: Option<&str>) {
        let found = EmbedRecord::of_nucleotides(record(letters));
        assert_eq!(found.letters, letters.to_uppercase());
        let failed = failure.is_none() == found.failure.is_none();
        let named = found.failure.as_deref().unwrap_or("").contains(failure.unwrap_or(""));
        assert!(failed && named, "{found:?}");
    }

    #[test]
    fn nucleotides_fail_for_what_is_not_a_code() {
        check_nucleotides("acgtn-", None);
        check_nucleotides("", Some("no sequence"));
        check_nucleotides("ACGE", Some("'E' at position 4"));
    }
}
