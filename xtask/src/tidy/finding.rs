//! One thing that `cargo xtask tidy` refuses, and where it is.

use std::fmt;
use std::path::{Path, PathBuf};

/// The rules, in the order in which findings are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Kind {
    /// Files of a crate that import each other in a circle.
    Circle,
    /// An import of an item through the `lib.rs` of its own crate.
    RootImport,
    /// A source file without `//!`.
    Head,
    /// A phrase that the glossary replaces.
    Phrase,
    /// A dependency between crates that the table does not list.
    Arrow,
    /// Text from outside that a message shows as it is.
    Message,
    /// A file too large, too long, or called `mod.rs`.
    Layout,
}

impl Kind {
    pub(super) const ALL: [Self; 7] = [
        Self::Circle,
        Self::RootImport,
        Self::Head,
        Self::Phrase,
        Self::Arrow,
        Self::Message,
        Self::Layout,
    ];
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Circle => "circles",
            Self::RootImport => "root imports",
            Self::Head => "missing //!",
            Self::Phrase => "phrases",
            Self::Arrow => "arrows",
            Self::Message => "messages",
            Self::Layout => "layout",
        })
    }
}

/// One thing that a rule refuses. The order is that of the kinds, then of the files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Finding {
    pub(super) kind: Kind,
    file: PathBuf,
    line: usize,
    message: String,
}

impl Finding {
    /// A finding in line `line` of `file`, counted from 1; 0 stands for the whole file.
    pub(super) fn new(kind: Kind, file: &Path, line: usize, message: String) -> Self {
        Self { kind, file: file.to_owned(), line, message }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if self.line > 0 {
            write!(f, ":{}", self.line)?;
        }
        write!(f, ": {}: {}", self.kind, self.message)
    }
}
