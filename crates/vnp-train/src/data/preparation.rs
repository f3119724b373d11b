//! The options of a preparation, and the records that it reads.

use std::collections::BTreeMap;
use std::path::PathBuf;

use vnp_seq::ChunkLength;

use crate::data::input::Input;
use crate::data::record::LabelledRecord;
use crate::data::records::{RecordSet, read_records};
use crate::data::shares::Shares;
use crate::error::Error;

/// What to prepare, and from which files.
#[derive(Debug, Clone)]
pub struct Preparation {
    /// The files with the records.
    pub inputs: Vec<Input>,
    /// A table `id label [group [kind]]` for files without a label.
    pub labels: Option<PathBuf>,
    /// A table `id group [kind]`.
    pub groups: Option<PathBuf>,
    /// Whether to keep, of records in GenBank files, only ORFs that a coding sequence confirms.
    pub coding_filter: bool,
    /// The chunk length.
    pub chunk_length: ChunkLength,
    /// Host chunks for each viral chunk in every split, as far as they suffice.
    pub hosts_per_virus: f64,
    /// The shares of the splits.
    pub shares: Shares,
    /// The seed of the split and of the choice of host chunks.
    pub seed: u64,
}

impl Preparation {
    /// The chunk length in bp.
    pub(crate) fn chunk_length_bp(&self) -> u32 {
        u32::try_from(self.chunk_length.get()).unwrap_or(u32::MAX)
    }

    /// Reads the records, with the identity of whatever is prepared from them.
    pub(crate) fn read(&self) -> Result<(Vec<LabelledRecord>, BTreeMap<String, String>), Error> {
        self.shares.check()?;
        if self.hosts_per_virus.is_nan() || self.hosts_per_virus <= 0.0 {
            return Err(Error::BadSetting {
                setting: "hosts per virus",
                expected: "a number above 0",
                found: self.hosts_per_virus.to_string(),
            });
        }
        let (labels, groups) = (self.labels.as_deref(), self.groups.as_deref());
        let RecordSet { records, digest } =
            read_records(&self.inputs, labels, groups, self.coding_filter)?;
        Ok((records, self.identity(digest)))
    }

    fn identity(&self, records: String) -> BTreeMap<String, String> {
        let Self { chunk_length, hosts_per_virus, shares, seed, .. } = self;
        let fields = [
            ("records", records),
            ("chunk length", chunk_length.get().to_string()),
            ("hosts per virus", hosts_per_virus.to_string()),
            ("validation share", shares.validation.to_string()),
            ("test share", shares.test.to_string()),
            ("seed", seed.to_string()),
        ];
        fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }
}
