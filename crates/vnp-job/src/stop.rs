//! How a job is asked to save its work and end.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A request to save the work so far and end; shared with a signal handler.
///
/// ```
/// let stop = vnp_job::StopFlag::default();
/// assert!(stop.check().is_ok());
/// stop.request(15);
/// assert_eq!(stop.requested(), Some(15));
/// assert_eq!(stop.check().unwrap_err().signal, 15);
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    // 0 = go on. A plain atomic, because a signal handler may do nothing more than set it.
    signal: Arc<AtomicUsize>,
}

/// A signal asked the job to end; the work so far is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted by signal {signal}; the work so far is saved: continue with --resume")]
pub struct Interrupted {
    /// The number of the signal.
    pub signal: usize,
}

impl StopFlag {
    /// Asks the job to stop, with the number of the signal that asked for it.
    pub fn request(&self, signal: usize) {
        self.signal.store(signal, Ordering::Relaxed);
    }

    /// The signal that asked for the stop, if one did.
    #[must_use]
    pub fn requested(&self) -> Option<usize> {
        match self.signal.load(Ordering::Relaxed) {
            0 => None,
            signal => Some(signal),
        }
    }

    /// Fails once a stop was requested, for a step that has nothing left to save.
    ///
    /// # Errors
    /// [`Interrupted`] with the signal.
    pub fn check(&self) -> Result<(), Interrupted> {
        self.requested().map_or(Ok(()), |signal| Err(Interrupted { signal }))
    }

    /// The shared number itself, for `signal_hook::flag::register_usize`.
    #[must_use]
    pub fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }
}
