//! Labelled records.

pub(crate) mod coding;
mod genbank;
mod read;
pub(crate) mod table;

use std::fmt;

pub use coding::Coding;
pub use read::{Input, RecordSet, read_records};

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A virus: class 1 of the head.
    Virus,
    /// Anything else: class 0.
    Others,
}

/// A record with its label and what is known of its relatives.
#[derive(Debug, Clone, Default)]
pub struct LabelledRecord {
    /// Its id, different from every other record's.
    pub id: String,
    /// Its label.
    pub is_virus: bool,
    /// Names that it shares with its relatives: records with one of them belong to one group.
    pub names: Vec<String>,
    /// The kind of organism, for reports and for a split that has some of each; empty where unknown.
    pub kind: String,
    /// The letters, upper case, U as T.
    pub sequence: Vec<u8>,
    /// What its annotation says is translated; nothing where its frames are taken as they are.
    pub coding: Option<Coding>,
}

impl Class {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Virus, Self::Others];

    /// The class of a label.
    #[must_use]
    pub fn of(is_virus: bool) -> Self {
        if is_virus { Self::Virus } else { Self::Others }
    }

    /// Its name in files and on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Virus => "virus",
            Self::Others => "others",
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
