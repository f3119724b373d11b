//! The arguments that say how inputs are read.

use clap::ValueEnum;
use serde::Serialize;
use vnp_pipeline::DuplicateIds;

/// `--duplicate-ids` of commands that write tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum DuplicateIdsArg {
    Warn,
    Refuse,
    /// Append .2, .3, … to the later ones, in tables only
    Number,
}

/// `--duplicate-ids` of commands that only read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum DuplicateIdsCheck {
    Warn,
    Refuse,
}

impl From<DuplicateIdsArg> for DuplicateIds {
    fn from(arg: DuplicateIdsArg) -> Self {
        match arg {
            DuplicateIdsArg::Warn => Self::Warn,
            DuplicateIdsArg::Refuse => Self::Refuse,
            DuplicateIdsArg::Number => Self::Number,
        }
    }
}

impl From<DuplicateIdsCheck> for DuplicateIds {
    fn from(arg: DuplicateIdsCheck) -> Self {
        match arg {
            DuplicateIdsCheck::Warn => Self::Warn,
            DuplicateIdsCheck::Refuse => Self::Refuse,
        }
    }
}
