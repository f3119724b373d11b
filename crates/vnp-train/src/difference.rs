//! A field in which two identities differ.

use std::fmt;

/// One field in which two identities differ.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The name of the field.
    pub field: String,
    /// The value in the saved state; `absent` where it has none.
    pub old: String,
    /// The value now.
    pub new: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} was {}, is now {}", self.field, self.old, self.new)
    }
}
