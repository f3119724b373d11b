//! The levels of validation, from the file's size to the values of its tensors.

use std::fmt;

/// The levels of validation, each including the ones before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Level {
    /// The file exists, is a regular file, and is not empty.
    Size,
    /// Preamble and header: version, lengths, status; in a time that does not depend on the file's size.
    Container,
    /// The digest of every section, and the padding, in constant memory.
    Digest,
    /// Ids and tensors loaded.
    Load,
    /// The kind and the tensors that a [`Schema`](crate::Schema) asks for.
    Keys,
    /// Element types, shapes, rows against ids, values that are not finite.
    Tensors,
}

impl Level {
    /// Every level, the cheapest first.
    pub const ALL: [Self; 6] =
        [Self::Size, Self::Container, Self::Digest, Self::Load, Self::Keys, Self::Tensors];

    /// The name in reports: `size`, `container`, `digest`, `load`, `keys`, `tensors`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Size => "size",
            Self::Container => "container",
            Self::Digest => "digest",
            Self::Load => "load",
            Self::Keys => "keys",
            Self::Tensors => "tensors",
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}
