//! How to validate.

use std::path::PathBuf;

use vnp_ckpt::Limits;

use crate::{Level, Schema};

/// What is looked at, and what becomes of failures.
///
/// ```
/// use vnp_validate::{Level, Options};
///
/// let cheap = Options { level: Level::Container, ..Options::default() };
/// assert!(cheap.level < Options::default().level);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// How closely to look; everything, by default.
    pub level: Level,
    /// What the file must hold; nothing in particular, by default.
    pub schema: Option<Schema>,
    /// How much a file may make the reader do.
    pub limits: Limits,
    /// A failure log to append to when a file is bad. That it cannot be written is a warning in
    /// the log, not an error.
    pub log_failures: Option<PathBuf>,
    /// How much memory files that are looked at side by side may take together, in bytes of file;
    /// one file alone may take more.
    pub memory_bytes: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            level: Level::Tensors,
            schema: None,
            limits: Limits::default(),
            log_failures: None,
            memory_bytes: 4 << 30,
        }
    }
}
