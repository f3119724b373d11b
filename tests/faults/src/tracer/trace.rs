//! The result of tracing a command: its output, its system calls, and the record of its files.

use std::path::PathBuf;
use std::process::ExitStatus;

use crate::event::Record;
use crate::fault::Calls;

/// A system call that returned, or that ended with its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name; `other` for those that never touch files.
    pub name: &'static str,
    /// The file below the root that it names or uses, relative to it; the first of two.
    pub file: Option<PathBuf>,
    /// Whether it changes files below the root, or syncs them.
    pub changes: bool,
    /// Whether it can be shortened: it reads or writes a number of bytes.
    pub can_be_short: bool,
    /// Its result; an error as a negative number.
    pub result: i64,
}

impl Call {
    /// Whether a fault in these calls counts this one.
    #[must_use]
    pub fn is_among(&self, calls: Calls) -> bool {
        match calls {
            Calls::Any => true,
            Calls::Changes => self.changes,
            Calls::Named(name) => self.file.is_some() && self.name == name,
        }
    }
}

/// A finished command.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trace {
    /// Its exit status.
    pub status: ExitStatus,
    /// Its standard output.
    pub stdout: String,
    /// Its standard error.
    pub stderr: String,
    /// Its system calls in the order of their ends, from where counting began.
    pub calls: Vec<Call>,
    /// The call that was disturbed, if the command got that far.
    pub hurt: Option<Call>,
    /// The changes to its files, if they were recorded.
    pub record: Record,
}
