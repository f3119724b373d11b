use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Asks a run to save what it has and end; shared with a signal handler.
///
/// ```
/// let stop = vnp_pipeline::StopFlag::default();
/// assert_eq!(stop.requested(), None);
/// stop.request(15);
/// assert_eq!(stop.requested(), Some(15));
/// ```
#[derive(Clone, Debug, Default)]
pub struct StopFlag {
    // 0 = go on. A plain atomic, because a signal handler may do nothing more than set it.
    signal: Arc<AtomicUsize>,
}

impl StopFlag {
    /// Asks the run to stop, with the number of the signal that asked for it.
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

    /// The shared number itself, for `signal_hook::flag::register_usize`.
    #[must_use]
    pub fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }
}
