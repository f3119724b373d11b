//! SIGINT and SIGTERM: the first saves and ends the run, the second ends it at once.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;
use vnp_job::StopFlag;

/// The first SIGINT or SIGTERM asks the run to save and end, the second ends it at once.
///
/// Ending at once is safe: files get their names only when they are complete and durable.
pub(crate) fn listen() -> anyhow::Result<StopFlag> {
    let stop = StopFlag::default();
    let again = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order, so that the first signal arms what only the second one triggers.
        flag::register_conditional_shutdown(signal, 128 + signal, Arc::clone(&again))
            .and_then(|_| flag::register(signal, Arc::clone(&again)))
            .and_then(|_| {
                let number = usize::try_from(signal).unwrap_or_default();
                flag::register_usize(signal, stop.shared(), number)
            })
            .context("cannot listen for signals")?;
    }
    Ok(stop)
}
