//! A head without encoders.

use std::path::Path;

use super::{import, manifest};
use crate::Error;
use crate::weights::Weights;

/// The head of a file, open: its tensors are named and shaped as a head's.
#[derive(Debug, Clone)]
pub struct HeadFile {
    pub(crate) weights: Weights,
    digest: String,
}

impl HeadFile {
    /// Opens a head as [`Bundle::with_head_file`](crate::Bundle::with_head_file) does.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let weights = import::read_head(path)?;
        let digest = manifest::head_digest(&weights)?;
        Ok(Self { weights, digest })
    }

    /// The digest of its tensors, equal to that of a bundle with this head.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
