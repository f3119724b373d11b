//! The heads that VirNucPro publishes, known by their bytes, with the chunk length of each.
//!
//! Both fit the same encoders and score chunks of either length without an error, so that a mix-up
//! goes unnoticed: scores are then those of a model that was trained on something else.

use std::io::Read as _;
use std::path::Path;

use sha1::{Digest, Sha1};

use crate::error::Error;
use crate::error::weights::WeightsError;

/// A published head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PublishedHead {
    /// The name of its file.
    pub file: &'static str,
    /// Its git blob id: SHA-1 in hex of `blob LENGTH`, a zero byte, and the file.
    pub git_blob: &'static str,
    /// The chunk length that it was trained on, in bp.
    pub expected_length: u32,
}

/// The heads in the repository of VirNucPro (Li-Jing-1997/VirNucPro on GitHub), by the ids that git
/// has for them.
pub const PUBLISHED_HEADS: [PublishedHead; 2] = [
    PublishedHead {
        file: "300_model.pth",
        git_blob: "a0b5b85e7c1e44f00cde146d091beb82b2c8e855",
        expected_length: 300,
    },
    PublishedHead {
        file: "500_model.pth",
        git_blob: "fc35d5ef9f1f4564eea7036f34f4f8ec6000d33d",
        expected_length: 500,
    },
];

impl PublishedHead {
    /// The head of this git blob id among `known`.
    pub(crate) fn find(known: &[Self], git_blob: &str) -> Option<Self> {
        known.iter().find(|head| head.git_blob == git_blob).copied()
    }

    /// Refuses another chunk length than the one that it was trained on; `file` is for the message.
    pub(crate) fn check_length(self, file: &str, given: u32) -> Result<(), Error> {
        let Self { file: head, expected_length: trained, .. } = self;
        if given == trained {
            return Ok(());
        }
        Err(WeightsError::HeadLength { file: file.to_owned(), head, trained, given }.into())
    }
}

/// The git blob id of a file.
pub(crate) fn git_blob(path: &Path) -> Result<String, Error> {
    let mut file = fs_err::File::open(path)?;
    let mut hasher = Sha1::new();
    hasher.update(format!("blob {}\0", file.metadata()?.len()));
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = file.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        hasher.update(buffer.get(..count).unwrap_or_default());
    }
    Ok(hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As `git hash-object` prints.
    #[test]
    fn ids_are_those_of_git() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a");
        let check = |contents: &[u8], expected: &str| {
            fs_err::write(&path, contents).unwrap();
            assert_eq!(git_blob(&path).unwrap(), expected);
        };
        check(b"", "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
        check(b"hello\n", "ce013625030ba8dba906f756967f9e9ca394464a");
    }

    #[test]
    fn lengths_are_compared() {
        let [three, five] = PUBLISHED_HEADS;
        assert_eq!(PublishedHead::find(&PUBLISHED_HEADS, three.git_blob), Some(three));
        assert_eq!(PublishedHead::find(&PUBLISHED_HEADS, "00"), None);
        five.check_length("h.pth", 500).unwrap();
        let error = five.check_length("h.pth", 300).unwrap_err().to_string();
        assert!(error.starts_with("h.pth is VirNucPro's 500_model.pth"), "{error}");
        assert!(error.contains("500 bp, not 300 bp"), "{error}");
    }
}
