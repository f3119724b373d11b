//! The loop that follows a traced command from call to call, counts its calls and disturbs one.

use std::collections::{BTreeSet, HashMap};
use std::io::{Read, Seek};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};

use nix::errno::Errno;
use nix::libc;
use nix::sys::ptrace;
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;

use super::gate;
use super::recorder::{Intent, Recorder};
use super::settings::Tracer;
use super::table::{self, Does, Row};
use super::trace::{Call, Trace};
use super::tracee::{Registers, Tracee, refused};
use crate::error::Error;
use crate::event::Record;
use crate::fault::{self, Harm};

/// Runs a command from beginning to end. The calling thread must have no other children.
pub(super) fn run(tracer: &Tracer, command: &Command) -> Result<Trace, Error> {
    let root = fs_err::canonicalize(&tracer.root)?;
    let recorder = if tracer.record { Some(Recorder::new(&root)?) } else { None };
    let (mut stdout, mut stderr) = (tempfile::tempfile()?, tempfile::tempfile()?);
    let child = gate::start(command, stdout.try_clone()?, stderr.try_clone()?)?;
    let main = gate::pid(&child);
    let mut session = Session {
        tracer,
        root,
        main,
        processes: BTreeSet::from([main]),
        status: None,
        passed_gate: false,
        counting: tracer.after.is_none(),
        counted: 0,
        open: HashMap::new(),
        calls: Vec::new(),
        hurt: None,
        recorder,
        failed: None,
    };
    let timed_out = std::thread::scope(|scope| {
        let (ended, wait) = channel::<()>();
        let watch = scope.spawn(move || {
            let late = wait.recv_timeout(tracer.patience) == Err(RecvTimeoutError::Timeout);
            // It is not late if it has ended already.
            late && kill(main, Signal::SIGKILL).is_ok()
        });
        session.follow(ended);
        watch.join().unwrap_or(false)
    });
    if timed_out {
        return Err(Error::TimedOut { seconds: tracer.patience.as_secs() });
    }
    if let Some(error) = session.failed {
        return Err(error);
    }
    let record = match session.recorder {
        Some(recorder) => recorder.finish(session.hurt.is_none())?,
        None => Record::default(),
    };
    let contents = |file: &mut std::fs::File| {
        let mut bytes = Vec::new();
        file.rewind()?;
        file.read_to_end(&mut bytes)?;
        Ok::<_, std::io::Error>(String::from_utf8_lossy(&bytes).into_owned())
    };
    Ok(Trace {
        status: session.status.ok_or_else(|| refused("see the end of")(Errno::ECHILD))?,
        stdout: contents(&mut stdout)?,
        stderr: contents(&mut stderr)?,
        calls: session.calls,
        hurt: session.hurt,
        record,
    })
}

struct Session<'t> {
    tracer: &'t Tracer,
    root: PathBuf,
    main: Pid,
    /// Processes and threads that are running.
    processes: BTreeSet<Pid>,
    status: Option<ExitStatus>,
    /// Whether the shell of the gate has executed the command.
    passed_gate: bool,
    counting: bool,
    /// The number of calls so far of the kind that the fault counts.
    counted: usize,
    /// Calls that have begun and not ended, by thread.
    open: HashMap<Pid, Begun>,
    calls: Vec<Call>,
    hurt: Option<Call>,
    recorder: Option<Recorder>,
    failed: Option<Error>,
}

/// A call between its beginning and its end.
struct Begun {
    call: Call,
    intent: Intent,
    harm: Option<Harm>,
    /// The registers as the command set them.
    registers: Registers,
    amount: Option<usize>,
    prints: bool,
}

impl Session<'_> {
    /// Follows all threads and processes until none is left.
    fn follow(&mut self, _ended: Sender<()>) {
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            let status = match waitpid(None, Some(flags)) {
                Ok(status) => status,
                Err(Errno::EINTR) => continue,
                Err(Errno::ECHILD) => return,
                Err(errno) => {
                    self.fail(refused("wait for")(errno));
                    return;
                }
            };
            match self.stopped(status) {
                // It was killed while it was stopped: its end comes next.
                Ok(()) | Err(Error::Trace { source: fault::Errno(libc::ESRCH), .. }) => {}
                Err(error) => self.fail(error),
            }
        }
    }

    /// Kills all processes, and keeps the first error.
    fn fail(&mut self, error: Error) {
        self.failed.get_or_insert(error);
        self.kill();
    }

    fn kill(&self) {
        // A process that has ended cannot be killed, and need not be.
        for pid in &self.processes {
            let _ = kill(*pid, Signal::SIGKILL);
        }
    }

    fn stopped(&mut self, status: WaitStatus) -> Result<(), Error> {
        let resume =
            |pid, signal: Option<Signal>| ptrace::syscall(pid, signal).map_err(refused("continue"));
        match status {
            WaitStatus::Exited(pid, code) => self.gone(pid, code << 8),
            WaitStatus::Signaled(pid, signal, _) => self.gone(pid, signal as i32),
            WaitStatus::Stopped(pid, signal) => resume(pid, Some(signal))?,
            WaitStatus::PtraceEvent(pid, ..) => {
                self.processes.insert(pid);
                self.passed_gate = self.passed_gate || !gate::is_waiting(pid)?;
                if self.passed_gate {
                    resume(pid, None)?;
                } else {
                    // If attaching was quick, this is the exec of the shell.
                    ptrace::cont(pid, None).map_err(refused("continue"))?;
                }
            }
            WaitStatus::PtraceSyscall(pid) => {
                if self.failed.is_none() {
                    let tracee = Tracee(pid);
                    if tracee.at_entry()? {
                        self.begin(tracee)?;
                    } else if let Some(begun) = self.open.remove(&pid) {
                        self.end(tracee, begun)?;
                    }
                }
                resume(pid, None)?;
            }
            WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
        }
        Ok(())
    }

    fn gone(&mut self, pid: Pid, status: i32) {
        self.processes.remove(&pid);
        if pid == self.main {
            self.status = Some(ExitStatus::from_raw(status));
        }
    }

    fn begin(&mut self, tracee: Tracee) -> Result<(), Error> {
        let registers = tracee.registers()?;
        let row = table::row(registers.number());
        let paths: Vec<PathBuf> = row.map_or_else(Vec::new, |row| {
            row.files.iter().filter_map(|names| tracee.path(&registers, *names)).collect()
        });
        let call = self.describe(row, &registers, &paths);
        let mut intent = Intent::Nothing;
        if let Some(recorder) = &mut self.recorder {
            let blind = table::BLIND.iter().find(|(number, _)| *number == registers.number());
            if let Some((_, call)) = blind {
                return Err(Error::NotModelled { call, path: self.root.clone() });
            }
            if let Some(row) = row {
                intent = recorder.begin(tracee, row, &registers, &paths)?;
                recorder.begun(self.calls.len(), tracee.0.as_raw(), &intent);
            }
        }
        let harm = self.harm(&call);
        let prints = call.name == "write" && registers.argument(0) == 1;
        let amount = row.and_then(|row| row.amount);
        let mut changed = registers;
        match harm {
            None => {}
            Some(Harm::Kill | Harm::Error(_) | Harm::ErrorFromHereOn(_) | Harm::Lie) => {
                changed.do_nothing();
            }
            Some(Harm::Short | Harm::KillMidway) => {
                let argument = amount.ok_or(Error::NotShortenable { call: call.name })?;
                let whole = registers.argument(argument);
                changed.set_argument(argument, (whole / 2).max(whole.min(1)));
            }
        }
        if harm.is_some() {
            tracee.set_registers(changed)?;
            self.hurt.get_or_insert_with(|| call.clone());
        }
        if harm == Some(Harm::Kill) {
            self.kill();
        }
        self.open.insert(tracee.0, Begun { call, intent, harm, registers, amount, prints });
        Ok(())
    }

    fn end(&mut self, tracee: Tracee, begun: Begun) -> Result<(), Error> {
        let Begun { mut call, intent, harm, registers, amount, prints } = begun;
        let mut now = tracee.registers()?;
        let mut was_done = true;
        match harm {
            None => {}
            Some(Harm::Error(errno) | Harm::ErrorFromHereOn(errno)) => {
                now.set_result(-i64::from(errno.0));
                was_done = false;
            }
            Some(Harm::Lie) => {
                let amount = amount.map_or(0, |argument| registers.argument(argument));
                now.set_result(amount.cast_signed());
                was_done = false;
            }
            // A system call preserves its arguments: the command may use them again.
            Some(Harm::Short) => {
                if let Some(argument) = amount {
                    now.set_argument(argument, registers.argument(argument));
                }
            }
            Some(Harm::KillMidway) => self.kill(),
            Some(Harm::Kill) => return Ok(()),
        }
        if harm.is_some() {
            tracee.set_registers(now)?;
        }
        call.result = now.result();
        if let (Some(recorder), true) = (&mut self.recorder, was_done) {
            recorder.end(tracee, (self.calls.len(), call.name), intent, call.result)?;
        }
        if let (Some(hurt), true) = (&mut self.hurt, harm.is_some()) {
            hurt.result = call.result;
        }
        if self.counting {
            self.calls.push(call);
        } else if let (Some(after), true, Ok(length)) =
            (&self.tracer.after, prints, usize::try_from(call.result))
        {
            let text = tracee.memory(registers.argument(1), length)?;
            self.counting = String::from_utf8_lossy(&text).contains(after.as_str());
        }
        Ok(())
    }

    fn describe(&self, row: Option<&Row>, registers: &Registers, paths: &[PathBuf]) -> Call {
        let below = |path: &PathBuf| path.strip_prefix(&self.root).ok().map(Path::to_owned);
        let file = paths.iter().find_map(below);
        let changes = row.is_some_and(|row| match row.does {
            Does::Look | Does::Map => false,
            Does::Open { flags } => {
                let flags = registers.argument(flags) as i32;
                flags & (libc::O_CREAT | libc::O_TRUNC) != 0
            }
            _ => true,
        });
        let amount = row.and_then(|row| row.amount).map(|argument| registers.argument(argument));
        Call {
            name: row.map_or("other", |row| row.name),
            changes: changes && file.is_some(),
            file,
            can_be_short: amount.is_some_and(|amount| amount > 0),
            result: 0,
        }
    }

    /// The harm for a call, if the fault is for this one.
    fn harm(&mut self, call: &Call) -> Option<Harm> {
        let fault = self.tracer.fault.as_ref().filter(|_| self.counting)?;
        let counts = call.is_among(fault.calls);
        self.counted += usize::from(counts);
        let from_here_on = matches!(fault.harm, Harm::ErrorFromHereOn(_));
        let hit = self.counted == fault.nth || (from_here_on && self.counted > fault.nth);
        (counts && hit).then_some(fault.harm)
    }
}
