//! Embedded examples, and the encoders that embedded them.

use std::path::Path;

use crate::data::examples::Examples;
use crate::error::Error;

/// Examples, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The rows to learn from.
    pub examples: Examples,
    /// The encoders, where the embeddings state them.
    pub encoders: Option<Encoders>,
    /// Rows that are left out because they could not be computed.
    pub rows_failed: usize,
    /// Rows that are left out for another reason: no coding sequence confirms them, or there are
    /// too many of hosts.
    pub rows_left_out: usize,
}

/// The encoders and settings that embeddings were computed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoders {
    /// The digest of the nucleotide encoder, as in a bundle.
    pub dnabert: String,
    /// The digest of the protein encoder.
    pub esm2: String,
    /// The precision of both.
    pub precision: String,
    /// The chunk length.
    pub chunk_length: u32,
}

impl Encoders {
    /// Refuses embeddings of other encoders than those of `earlier`.
    pub(super) fn agree(&self, earlier: &Self, path: &Path) -> Result<(), Error> {
        for (what, found, expected) in [
            ("the nucleotide encoder", &self.dnabert, &earlier.dnabert),
            ("the protein encoder", &self.esm2, &earlier.esm2),
            ("the precision", &self.precision, &earlier.precision),
            ("the chunk length", &self.chunk_length.to_string(), &earlier.chunk_length.to_string()),
        ] {
            if found != expected {
                return Err(Error::Embeddings {
                    path: path.to_owned(),
                    what: what.to_owned(),
                    expected: expected.clone(),
                    found: found.clone(),
                });
            }
        }
        Ok(())
    }
}
