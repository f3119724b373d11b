//! The number, the file and the id of a record, which everything that is made of the record shares.

use std::borrow::Cow;

use crate::id::raw_id;

/// Which record of an input something comes from, shared by all that comes from it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct RecordHead {
    /// 0-based number of the record in the whole input.
    pub number: u64,
    /// 0-based number of its file among the inputs.
    pub input: usize,
    /// The record's id as text: see [`Record`](crate::Record).
    pub id: String,
    /// Whether bytes of the id are percent-encoded in its text.
    pub id_is_encoded: bool,
}

impl RecordHead {
    /// The id as it stands in the header.
    #[must_use]
    pub fn raw_id(&self) -> Cow<'_, [u8]> {
        raw_id(&self.id, self.id_is_encoded)
    }
}
