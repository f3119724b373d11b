//! The options of a validation.

use std::path::PathBuf;

use vnp_ckpt::Limits;

use crate::level::Level;
use crate::schema::Schema;

/// What to validate, and where to record failures.
///
/// ```
/// use vnp_validate::{Level, Options};
///
/// let cheap = Options { level: Level::Container, ..Options::default() };
/// assert!(cheap.level < Options::default().level);
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// The last level to inspect; all levels by default.
    pub level: Level,
    /// What the file must contain; anything by default.
    pub schema: Option<Schema>,
    /// The reader's limits on what a file may ask for.
    pub limits: Limits,
    /// A failure log to append bad files to. A log that cannot be written is a warning, not an error.
    pub log_failures: Option<PathBuf>,
    /// The total size of files that are inspected at the same time; a larger file is inspected alone. What
    /// they mean beside their own bytes (the values of a pickle, ids, metadata) is bounded apart: 32 MiB
    /// for all of them together (4 MiB for each, at least), and files that mean more are inspected one
    /// after the other at the end.
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
