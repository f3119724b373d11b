//! Checking an input without a model: what `predict` would say of it.

use std::path::Path;

use vnp_seq::{FrameReader, RecordHead, RecordReader, RecordStatus};

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

/// Reads an input to its end as [`predict`](crate::predict) does, so that both accept the same files.
/// `invalid` receives the head of each record with an invalid letter, and which letter that is.
///
/// Messages call the input `name`. Long records, and ids if they are many, are kept in unnamed files in `scratch`.
///
/// # Errors
/// [`Error::Sequence`] for an input that cannot be read to its end; [`Error::DuplicateIds`] if that is
/// asked for; [`Error::Io`] of `scratch`.
pub fn validate(
    reader: RecordReader,
    name: &Path,
    duplicate_ids: DuplicateIds,
    scratch: &Path,
    invalid: &mut dyn FnMut(&RecordHead, &str),
) -> Result<Validation, Error> {
    let mut found = Validation::default();
    let names = [name.to_owned()];
    let mut finder = DuplicateFinder::new(scratch, &names, duplicate_ids);
    let mut reader = FrameReader::records_only(reader).scratch(scratch);
    while let Some(block) = reader.next_block()? {
        for outcome in block.records {
            found.records += 1;
            found.bases += outcome.length_bp;
            match &outcome.status {
                RecordStatus::Empty => found.empty += 1,
                RecordStatus::Failed { reason } => {
                    found.invalid += 1;
                    invalid(&outcome.record, reason);
                }
                _ => {}
            }
            finder.add(&outcome.record)?;
        }
    }
    found.maybe_truncated = reader.maybe_truncated();
    (found.duplicate_ids, _) = finder.finish()?;
    Ok(found)
}
