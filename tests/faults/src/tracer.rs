//! Running a command under `ptrace`: counting, hurting and recording its system calls.

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod gate;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod recorder;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod session;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod table;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod tracee;

use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::OnceLock;
use std::time::Duration;

use crate::{Error, Event, Fault, Record};

/// How a command is to be traced.
#[derive(Clone, Debug)]
pub struct Tracer {
    root: PathBuf,
    after: Option<String>,
    fault: Option<Fault>,
    record: bool,
    patience: Duration,
}

/// A system call that ended, or that was ended with its process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Its name; `other` for those that never touch files.
    pub name: &'static str,
    /// The file below the root that it names or uses, relative to it; the first of two.
    pub file: Option<PathBuf>,
    /// Whether it changes files below the root, or brings them to disk.
    pub changes: bool,
    /// Whether it may be told to do less than what was asked for.
    pub can_be_short: bool,
    /// What it returned; an error as its negative number.
    pub result: i64,
}

/// What a command did.
#[derive(Debug)]
#[non_exhaustive]
pub struct Trace {
    /// How it ended.
    pub status: ExitStatus,
    /// What it said.
    pub stdout: String,
    /// What it complained about.
    pub stderr: String,
    /// Its system calls by their ends, from where counting began.
    pub calls: Vec<Call>,
    /// The call that was hurt, if the command got so far.
    pub hurt: Option<Call>,
    /// What happened to the files, where that was asked for.
    pub record: Record,
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

    /// Counts only from when the command has written `text` to its standard output.
    #[must_use]
    pub fn after(mut self, text: &str) -> Self {
        self.after = Some(text.to_owned());
        self
    }

    /// Hurts one call.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.fault = Some(fault);
        self
    }

    /// Records what happens to the files.
    #[must_use]
    pub fn record(mut self) -> Self {
        self.record = true;
        self
    }

    /// Runs a command to its end. Its standard input is empty; what it prints is kept.
    ///
    /// # Errors
    /// Every [`Error`] but [`Error::TooManyImages`].
    #[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
    pub fn run(&self, command: &Command) -> Result<Trace, Error> {
        // The kernel ties a traced process to the thread that traces it, and that thread waits
        // for any of its children: it must have no others.
        std::thread::scope(|scope| match scope.spawn(|| session::run(self, command)).join() {
            Ok(result) => result,
            Err(panic) => std::panic::resume_unwind(panic),
        })
    }

    /// Tracing is written for Linux on x86-64.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
    pub fn run(&self, _command: &Command) -> Result<Trace, Error> {
        let _ = (&self.root, &self.after, &self.fault, self.record, self.patience);
        Err(Error::Unavailable { reason: "only on Linux on x86-64 with glibc".to_owned() })
    }
}

/// Why nothing can be traced here; nothing if it can. Asked once.
#[must_use]
pub fn skip_reason() -> Option<&'static str> {
    static REASON: OnceLock<Option<String>> = OnceLock::new();
    REASON.get_or_init(|| probe().err().map(|error| error.to_string())).as_deref()
}

/// Traces a command whose system calls are known.
fn probe() -> Result<(), Error> {
    let directory = tempfile::tempdir()?;
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "echo text >file"]).current_dir(directory.path());
    let trace = Tracer::new(directory.path()).record().run(&command)?;
    let seen = trace.record.events.iter().any(|(_, event)| match event {
        Event::Write { data, .. } => data == b"text\n",
        _ => false,
    });
    match seen {
        true => Ok(()),
        false => Err(Error::Unavailable { reason: "system calls are not seen here".to_owned() }),
    }
}
