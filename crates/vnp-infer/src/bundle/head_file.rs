//! A head that is used without the encoders of a bundle, or in place of a bundle's.

use std::path::Path;

use super::published::{PUBLISHED_HEADS, PublishedHead, git_blob};
use super::{distribution, manifest};
use crate::error::Error;
use crate::weights::Weights;

/// The open file of a head, whose tensors were checked to be those of a head.
#[derive(Debug, Clone)]
pub struct HeadFile {
    pub(crate) weights: Weights,
    digest: String,
    pub(crate) git_blob: String,
    pub(crate) published: Option<PublishedHead>,
}

impl HeadFile {
    /// Opens a head as [`Bundle::with_head_file`](crate::Bundle::with_head_file) does.
    ///
    /// # Errors
    /// As there.
    pub fn open(path: &Path) -> Result<Self, Error> {
        Self::open_knowing(path, &PUBLISHED_HEADS)
    }

    /// The same with another table of published heads.
    pub(crate) fn open_knowing(path: &Path, known: &[PublishedHead]) -> Result<Self, Error> {
        let weights = distribution::read_head(path)?;
        let digest = manifest::head_digest(&weights)?;
        let git_blob = git_blob(path)?;
        let published = PublishedHead::find(known, &git_blob);
        Ok(Self { weights, digest, git_blob, published })
    }

    /// The digest of its tensors, equal to that of a bundle with this head.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The published head that it is, if it is one.
    #[must_use]
    pub fn published(&self) -> Option<PublishedHead> {
        self.published
    }

    /// Checks that it is not a published head that was trained on chunks of another length, in bp.
    ///
    /// # Errors
    /// [`WeightsError::HeadLength`](crate::WeightsError::HeadLength).
    pub fn check_length(&self, length: u32) -> Result<(), Error> {
        let file = self.weights.label();
        self.published.map_or(Ok(()), |published| published.check_length(file, length))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::weights::WeightsError;
    use crate::testing::fixture;

    /// A head of ours in place of a published one.
    #[test]
    fn a_known_head_has_one_length() {
        let path = fixture("torch/head.pth");
        let blob: &'static str = git_blob(&path).unwrap().leak();
        let known = [PublishedHead { file: "300_model.pth", git_blob: blob, expected_length: 300 }];
        let head = HeadFile::open_knowing(&path, &known).unwrap();
        assert_eq!(head.published(), Some(known[0]));
        head.check_length(300).unwrap();
        let Err(Error::Weights(WeightsError::HeadLength { trained, given, .. })) =
            head.check_length(500)
        else {
            panic!("the head for 300 bp was taken for 500")
        };
        assert_eq!((trained, given), (300, 500));
        let unknown = HeadFile::open(&path).unwrap();
        assert_eq!(unknown.published(), None);
        unknown.check_length(123).unwrap();
        assert_eq!(unknown.digest(), head.digest());
    }
}
