//! Embedded examples, and the encoders that embedded them.

use std::path::Path;

use vnp_job::parts::Encoders;

use crate::data::examples::Examples;

/// Examples, and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Embedded {
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

/// Refuses embeddings of other encoders than those of `earlier`.
pub(super) fn check_same(
    encoders: &Encoders,
    earlier: &Encoders,
    path: &Path,
) -> Result<(), vnp_job::Error> {
    let (chunk_length, expected) =
        (encoders.chunk_length.to_string(), earlier.chunk_length.to_string());
    for (what, found, expected) in [
        ("the nucleotide encoder", &encoders.dnabert, &earlier.dnabert),
        ("the protein encoder", &encoders.esm2, &earlier.esm2),
        ("the precision", &encoders.precision, &earlier.precision),
        ("the chunk length", &chunk_length, &expected),
    ] {
        if found != expected {
            return Err(mismatch(path, what, expected, found));
        }
    }
    Ok(())
}

/// The error that embeddings are not as they must be.
pub(super) fn mismatch(
    path: &Path,
    what: impl Into<String>,
    expected: impl Into<String>,
    found: impl Into<String>,
) -> vnp_job::Error {
    let (what, expected, found) = (what.into(), expected.into(), found.into());
    vnp_job::Error::Mismatch { path: path.to_owned(), what, expected, found }
}
