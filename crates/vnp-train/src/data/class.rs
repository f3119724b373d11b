//! The two classes of the head: viruses and others.

use std::fmt;

/// The class of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A virus: class 1 of the head.
    Virus,
    /// Anything else: class 0.
    Others,
}

impl Class {
    /// Both classes.
    pub const ALL: [Self; 2] = [Self::Virus, Self::Others];

    /// The class of a label.
    #[must_use]
    pub fn of(is_virus: bool) -> Self {
        if is_virus { Self::Virus } else { Self::Others }
    }

    /// The name of the class in files and on the command line.
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
