//! Signals: which of them save and end a job, save and go on, or end it at once.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context;
#[cfg(unix)]
use signal_hook::consts::{SIGHUP, SIGUSR1, SIGXCPU, SIGXFSZ};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use vnp_job::{Interrupted, StopFlag};

use crate::exit::Exit;

/// The time between the first signal and the end of the process, whatever it is at: clusters and clouds
/// kill after 10 seconds or more. What has a name is whole at every moment.
const GRACE: Duration = Duration::from_secs(9);

/// Two signals are two when they are this far apart: `timeout` and schedulers send one to the process and
/// to its group in the same moment.
#[cfg(unix)]
const APART: Duration = Duration::from_secs(1);

/// The advice of a job that ends before it could save everything.
pub(crate) const RESUME: &str = "what was not saved is computed again: continue with --resume";

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

/// SIGINT, SIGTERM, SIGHUP and SIGXCPU ask a job to save and end, within [`GRACE`]; a second SIGINT or
/// SIGTERM ends it at once. SIGUSR1 asks it to save and go on.
///
/// Ending at once is safe: files get their names only when they are complete and durable. `advice` ends the
/// message then.
pub(crate) fn listen(advice: &'static str) -> anyhow::Result<StopFlag> {
    let stop = StopFlag::default();
    let signals = ending_signals();
    register(&signals, &stop, advice).context("cannot listen for signals")?;
    Ok(stop)
}

fn register(signals: &[i32], stop: &StopFlag, advice: &'static str) -> std::io::Result<()> {
    for &signal in signals {
        let number = usize::try_from(signal).unwrap_or_default();
        flag::register_usize(signal, stop.shared(), number)?;
    }
    #[cfg(unix)]
    {
        flag::register(SIGUSR1, stop.shared_save())?;
        end_in_time(signals, stop.clone(), advice)?;
    }
    #[cfg(not(unix))]
    let _ = advice;
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

/// Ends the process at the second SIGINT or SIGTERM, and some seconds after the first signal of any kind if it
/// has not ended by itself: while it loads a model, or computes a sequence that takes longer, nothing
/// else looks at the stop flag.
#[cfg(unix)]
fn end_in_time(signals: &[i32], stop: StopFlag, advice: &'static str) -> std::io::Result<()> {
    let mut signals = signal_hook::iterator::Signals::new(signals)?;
    std::thread::Builder::new().name("vnp signals".to_owned()).spawn(move || {
        let Some(first) = signals.forever().next() else { return };
        let began = Instant::now();
        let is_request = |signal: &i32| matches!(*signal, SIGINT | SIGTERM);
        let mut requested = is_request(&first).then_some(began);
        while began.elapsed() < GRACE {
            std::thread::sleep(Duration::from_millis(20));
            let Some(again) = signals.pending().find(is_request) else { continue };
            if requested.get_or_insert_with(Instant::now).elapsed() >= APART {
                signal_hook::low_level::exit(128 + again);
            }
        }
        let first = usize::try_from(first).unwrap_or_default();
        let signal = stop.requested().unwrap_or(first);
        let cause = Interrupted { signal }.cause();
        log::warn!("interrupted by {cause}, and ended after {} s: {advice}", GRACE.as_secs());
        signal_hook::low_level::exit(Exit::Interrupted(signal).code().into());
    })?;
    Ok(())
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
}
