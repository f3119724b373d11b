//! The records that a joint training learns from.

use crate::data::chunks::Chunk;
use crate::data::record::LabelledRecord;
use crate::split::Split;

/// Records in groups and splits, and the chunks that validate.
#[derive(Clone, Copy)]
pub struct JointData<'a> {
    /// All records.
    pub records: &'a [LabelledRecord],
    /// The group of each record.
    pub groups: &'a [usize],
    /// The split of each group.
    pub splits: &'a [Split],
    /// Whether a window of a training record may be learned from: none should share a k-mer with the
    /// other splits.
    pub is_usable: &'a (dyn Fn(&[u8]) -> bool + Sync),
    /// The chunks that choose the epoch.
    pub validation: &'a [Chunk],
}
