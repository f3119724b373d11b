//! Training, validation and test: the three splits of the data.

use std::fmt;

use serde::Serialize;

/// The use that a group's rows are put to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Split {
    /// Rows to learn from.
    Training,
    /// Rows that choose the epoch.
    Validation,
    /// Rows that are measured once, at the end.
    Test,
}

/// The number of examples of one split.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SplitCounts {
    /// The split.
    pub split: Split,
    /// Viral ORFs.
    pub viral: usize,
    /// Other ORFs.
    pub others: usize,
    /// Groups of relatives.
    pub groups: usize,
}

impl Split {
    /// All splits. A k-mer that occurs in two of them stays with the later one.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    /// A mask with one bit for this split.
    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The split with this name in a file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|split| split.name() == name)
    }

    /// The name of the split in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Split {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
