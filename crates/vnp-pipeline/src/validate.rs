//! Checking an input without a model: what `predict` would say of it.

use std::path::Path;

use vnp_seq::{InvalidLetter, Record, RecordHead, RecordReader};

use crate::duplicates::DuplicateIds;
use crate::duplicates::finder::DuplicateFinder;
use crate::error::Error;

/// What an input holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Validation {
    /// Records of every kind.
    pub records: u64,
    /// Their bases.
    pub bases: u64,
    /// Records without a sequence.
    pub empty: u64,
    /// Records with a letter that is not a nucleotide code: [`predict`](crate::predict) marks them failed.
    pub invalid: u64,
    /// Records whose id an earlier record has.
    pub duplicate_ids: u64,
    /// Whether the input may be truncated: BGZF without its empty last block.
    pub maybe_truncated: bool,
}

/// Reads an input to its end with the reader of [`predict`](crate::predict), so that both accept the same
/// files. `invalid` receives each record with an invalid letter, and its number, counted from 1.
///
/// Ids are sorted in unnamed files in `scratch` if they are many.
///
/// # Errors
/// [`Error::Sequence`] for an input that cannot be read to its end; [`Error::DuplicateIds`] if that is
/// asked for; [`Error::Io`] of `scratch`.
pub fn validate(
    mut reader: RecordReader,
    duplicate_ids: DuplicateIds,
    scratch: &Path,
    invalid: &mut dyn FnMut(u64, &Record, InvalidLetter),
) -> Result<Validation, Error> {
    let mut found = Validation::default();
    let mut finder = DuplicateFinder::new(scratch, duplicate_ids);
    while let Some(mut record) = reader.next_record()? {
        let number = found.records;
        found.records += 1;
        found.bases += record.sequence.len() as u64;
        found.empty += u64::from(record.sequence.is_empty());
        if let Some(letter) = record.invalid_letter() {
            found.invalid += 1;
            invalid(found.records, &record, letter);
        }
        let (id, id_is_encoded) = (std::mem::take(&mut record.id), record.id_is_encoded);
        finder.add(&RecordHead { number, input: 0, id, id_is_encoded })?;
    }
    found.maybe_truncated = reader.maybe_truncated();
    (found.duplicate_ids, _) = finder.finish()?;
    Ok(found)
}
