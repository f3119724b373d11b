//! Signals: which of them save and end a job, save and go on, or end it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
#[cfg(unix)]
use std::time::{Duration, Instant};

use anyhow::Context;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGUSR1, SIGXCPU, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
#[cfg(unix)]
use vnp_job::Interrupted;
use vnp_job::StopFlag;

#[cfg(unix)]
use crate::exit::Exit;

/// The time that a job gets, after the first signal, to end by itself; what it does not look at the stop flag for
/// has nothing to save, and is ended then.
#[cfg(unix)]
const PATIENCE: Duration = Duration::from_secs(1);

/// The time between the first signal and the end of the process, whatever it is at: clusters and clouds
/// kill after 10 seconds or more. What has a name is whole at every moment.
#[cfg(unix)]
const GRACE: Duration = Duration::from_secs(8);

/// The time within [`GRACE`] and a little more for the last steps: temporaries are removed and a message
/// is written, which a full pipe may hold up.
#[cfg(unix)]
const LAST_STEPS: Duration = Duration::from_millis(1_500);

/// Two signals are two when they are this far apart: `timeout` and schedulers send one to the process and
/// to its group in the same moment.
#[cfg(unix)]
const APART: Duration = Duration::from_secs(1);

/// Whether the end of the process has begun: on this module's thread, or on the main one.
static ENDING: AtomicBool = AtomicBool::new(false);

/// What an interrupted command leaves, for its last message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Leaves {
    /// Saved work, which can be continued.
    Work,
    /// What these words say.
    Words(&'static str),
}

/// Has signals not kill the process that mean something else: SIGUSR1, which asks a job to save, in
/// commands that have nothing to save; SIGXFSZ, so that a file that grows beyond its limit (`ulimit -f`) is
/// an error of writing.
pub(crate) fn survive() {
    #[cfg(unix)]
    for signal in [SIGUSR1, SIGXFSZ] {
        if let Err(error) = flag::register(signal, Arc::default()) {
            log::debug!("cannot listen for signal {signal}: {error}");
        }
    }
}

/// SIGINT, SIGTERM, SIGHUP and SIGXCPU end the process: at once where nothing that was computed is unsaved,
/// else when it is saved, within [`GRACE`] in any case; a second SIGINT or SIGTERM ends it at once. SIGUSR1
/// asks a job to save and go on.
///
/// Ending at once is safe: files get their names only when they are complete and durable, and temporaries are
/// removed first.
pub(crate) fn listen(leaves: Leaves) -> anyhow::Result<StopFlag> {
    let stop = StopFlag::default();
    register(&ending_signals(), &stop, leaves).context("cannot listen for signals")?;
    Ok(stop)
}

/// To be called when the command has ended: from now on no signal ends the process. If one already does, this
/// waits for it.
pub(crate) fn ended() {
    while ENDING.swap(true, Ordering::AcqRel) {
        std::thread::park();
    }
}

fn register(signals: &[i32], stop: &StopFlag, leaves: Leaves) -> std::io::Result<()> {
    for &signal in signals {
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, stop.shared(), number)?;
    }
    #[cfg(unix)]
    {
        flag::register(SIGUSR1, stop.shared_save())?;
        end_in_time(signals, stop.clone(), leaves)?;
    }
    #[cfg(not(unix))]
    let _ = leaves;
    Ok(())
}

#[cfg(not(unix))]
fn ending_signals() -> Vec<i32> {
    vec![SIGINT, SIGTERM]
}

#[cfg(unix)]
fn ending_signals() -> Vec<i32> {
    // What was ignored when the process started stays ignored: SIGHUP under nohup, SIGINT in the background
    // of a script.
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mut signals = vec![SIGINT, SIGTERM, SIGXCPU];
    signals.retain(|&signal| ignores(&status, signal) != Some(true));
    if ignores(&status, SIGHUP) == Some(false) {
        signals.push(SIGHUP);
    }
    signals
}

/// Whether a process ignores a signal, by its `/proc/PID/status`; none where that does not say so.
#[cfg(unix)]
fn ignores(status: &str, signal: i32) -> Option<bool> {
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    let mask = u64::from_str_radix(mask.trim(), 16).ok()?;
    Some(mask >> (signal - 1) & 1 == 1)
}

/// Ends the process when it is time to.
#[cfg(unix)]
fn end_in_time(signals: &[i32], stop: StopFlag, leaves: Leaves) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new(signals)?;
    std::thread::Builder::new().name("vnp signals".to_owned()).spawn(move || {
        let Some(first) = signals.forever().next() else { return };
        let began = Instant::now();
        let patience = if leaves == Leaves::Work { PATIENCE } else { Duration::ZERO };
        let is_request = |signal: &i32| matches!(*signal, SIGINT | SIGTERM);
        let mut requested = is_request(&first).then_some(began);
        let number = usize::try_from(first).unwrap_or_default();
        loop {
            let passed = began.elapsed();
            if passed >= GRACE || (passed >= patience && !stop.has_unsaved()) {
                // The handler may have seen another one first.
                let signal = stop.requested().unwrap_or(number);
                let message = last_message(Interrupted { signal }, leaves, stop.has_unsaved());
                end(Exit::Interrupted(signal).code().into(), Some(message));
            }
            std::thread::sleep(Duration::from_millis(20));
            let Some(again) = signals.pending().find(is_request) else { continue };
            if requested.get_or_insert_with(Instant::now).elapsed() >= APART {
                end(128 + again, None);
            }
        }
    })?;
    Ok(())
}

#[cfg(unix)]
fn last_message(interrupted: Interrupted, leaves: Leaves, is_unsaved: bool) -> String {
    let cause = interrupted.cause();
    match leaves {
        Leaves::Words(words) => format!("interrupted by {cause}: {words}"),
        Leaves::Work if !is_unsaved => interrupted.to_string(),
        Leaves::Work => format!(
            "interrupted by {cause}, and ended after {} s: what was not saved is computed again: continue with \
             --resume",
            GRACE.as_secs()
        ),
    }
}

/// Removes the temporaries, and ends the process.
#[cfg(unix)]
fn end(code: i32, message: Option<String>) -> ! {
    // On a thread of its own: a file system or a pipe may hold it up.
    let (done, is_done) = std::sync::mpsc::channel();
    let last_steps = move || {
        // Unless the command has just ended by itself.
        if !ENDING.swap(true, Ordering::AcqRel) {
            vnp_ckpt::temporaries::remove_all();
            if let Some(message) = message {
                log::warn!("{message}");
            }
            done.send(()).ok();
        }
        // The end of the process is waited for.
        loop {
            std::thread::park();
        }
    };
    if std::thread::Builder::new().spawn(last_steps).is_ok() {
        is_done.recv_timeout(LAST_STEPS).ok();
    }
    signal_hook::low_level::exit(code)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[track_caller]
    fn check(status: &str, expected: Option<bool>) {
        assert_eq!(ignores(status, SIGHUP), expected);
    }

    #[test]
    fn an_ignored_signal_is_recognised() {
        check("Name:\tvnp\nSigIgn:\t0000000000001001\nSigCgt:\t0\n", Some(true));
        check("Name:\tvnp\nSigIgn:\t0000000000001000\n", Some(false));
        check("SigIgn:\tx\n", None);
        check("", None);
    }

    #[track_caller]
    fn check_message(leaves: Leaves, is_unsaved: bool, expected: &str) {
        let message = last_message(Interrupted { signal: 15 }, leaves, is_unsaved);
        assert_eq!(message, format!("interrupted by SIGTERM{expected}"));
    }

    #[test]
    fn the_last_message_promises_no_more_than_is_so() {
        check_message(Leaves::Words("nothing was written"), false, ": nothing was written");
        let saved = "; the work so far is saved: continue with --resume";
        check_message(Leaves::Work, false, saved);
        let lost =
            ", and ended after 8 s: what was not saved is computed again: continue with --resume";
        check_message(Leaves::Work, true, lost);
    }
}
