//! A head that is used without the encoders of a bundle.

use std::path::Path;

use super::{distribution, manifest};
use crate::error::Error;
use crate::weights::Weights;

/// The open file of a head, whose tensors were checked to be those of a head.
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
        let weights = distribution::read_head(path)?;
        let digest = manifest::head_digest(&weights)?;
        Ok(Self { weights, digest })
    }

    /// The digest of its tensors, equal to that of a bundle with this head.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }
}
