//! How a command is traced: below which directory, with which fault, recorded or not.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::fault::Fault;

/// Traces commands; the methods set how.
#[derive(Clone, Debug)]
pub struct Tracer {
    pub(super) root: PathBuf,
    pub(super) after: Option<String>,
    pub(super) fault: Option<Fault>,
    pub(super) record: bool,
    pub(super) patience: Duration,
}

impl Tracer {
    /// Traces commands that work below `root`, an existing directory.
    #[must_use]
    pub fn new(root: &Path) -> Self {
        Self {
            root: root.to_owned(),
            after: None,
            fault: None,
            record: false,
            patience: Duration::from_secs(120),
        }
    }

    /// Starts to count when the command has written `text` to its standard output.
    #[must_use]
    pub fn after(mut self, text: &str) -> Self {
        self.after = Some(text.to_owned());
        self
    }

    /// Disturbs one call.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Records the changes to the files.
    #[must_use]
    pub fn record(mut self) -> Self {
        self.record = true;
        self
    }
}
