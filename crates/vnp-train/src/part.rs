use std::fmt;

use serde::Serialize;

/// What a group's rows are used for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// To learn from.
    Training,
    /// To choose the epoch by.
    Validation,
    /// To measure, once.
    Test,
}

impl Part {
    /// Every part. Of two parts that share something, the later one keeps it.
    pub const ALL: [Self; 3] = [Self::Training, Self::Validation, Self::Test];

    pub(crate) fn bit(self) -> u8 {
        1 << self as u8
    }

    /// The part of a name in a file.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|part| part.name() == name)
    }

    /// The part's name in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Validation => "validation",
            Self::Test => "test",
        }
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
