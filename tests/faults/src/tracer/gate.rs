//! Starts a command in such a way that it does nothing before it is traced.
//!
//! A shell waits for a line and then executes the command in its place. The tracer attaches while it
//! waits, so that there is no code to run between fork and exec, and none that is `unsafe`.

use std::fs::File;
use std::io::Write;
use std::process::{Child, Command, Stdio};

use nix::sys::ptrace;
use nix::unistd::Pid;

use super::tracee::refused;
use crate::error::Error;

/// Reads one line, then executes the command in place of the shell.
const SCRIPT: &str = "read -r go && exec \"$@\" </dev/null";

/// Starts a command and attaches to it. It runs up to the event of its exec.
pub(super) fn start(command: &Command, stdout: File, stderr: File) -> Result<Child, Error> {
    let mut gate = Command::new("/bin/sh");
    gate.args(["-c", SCRIPT, "gate"]).arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => gate.env(name, value),
            None => gate.env_remove(name),
        };
    }
    if let Some(directory) = command.get_current_dir() {
        gate.current_dir(directory);
    }
    let mut child = gate.stdin(Stdio::piped()).stdout(stdout).stderr(stderr).spawn()?;
    if let Err(error) = attach(&mut child) {
        child.kill()?;
        child.wait()?;
        return Err(error);
    }
    Ok(child)
}

fn attach(child: &mut Child) -> Result<(), Error> {
    let options = ptrace::Options::PTRACE_O_TRACESYSGOOD
        | ptrace::Options::PTRACE_O_TRACECLONE
        | ptrace::Options::PTRACE_O_TRACEFORK
        | ptrace::Options::PTRACE_O_TRACEVFORK
        | ptrace::Options::PTRACE_O_TRACEEXEC
        | ptrace::Options::PTRACE_O_EXITKILL;
    ptrace::seize(pid(child), options).map_err(|errno| match errno {
        nix::errno::Errno::EPERM => {
            Error::Unavailable { reason: "ptrace is not permitted here".to_owned() }
        }
        errno => refused("attach to")(errno),
    })?;
    if let Some(mut gate) = child.stdin.take() {
        gate.write_all(b"go\n")?;
    }
    Ok(())
}

/// Whether a process is still the shell.
pub(super) fn is_waiting(pid: Pid) -> Result<bool, Error> {
    let words = fs_err::read(format!("/proc/{pid}/cmdline"))?;
    Ok(words.split(|byte| *byte == 0).nth(2) == Some(SCRIPT.as_bytes()))
}

pub(super) fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}
