//! Runs a command under `ptrace`: counts, disturbs and records its system calls.

#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod gate;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod recorder;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod session;
mod settings;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod table;
mod trace;
#[cfg(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu"))]
mod tracee;

use std::process::Command;
use std::sync::OnceLock;

use crate::error::Error;
use crate::event::Event;

pub use settings::Tracer;
pub use trace::{Call, Trace};

impl Tracer {
    /// Runs a command to its end. Its standard input is empty; its output is captured.
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

    /// Tracing is implemented for Linux on x86-64.
    ///
    /// # Errors
    /// Always.
    #[cfg(not(all(target_os = "linux", target_arch = "x86_64", target_env = "gnu")))]
    pub fn run(&self, _command: &Command) -> Result<Trace, Error> {
        let _ = (&self.root, &self.after, &self.fault, self.record, self.patience);
        Err(Error::Unavailable { reason: "only on Linux on x86-64 with glibc".to_owned() })
    }
}

/// Why nothing can be traced on this machine; `None` if it can. Tried once.
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
