//! How a job is asked to save its work and end, or to save it and go on.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Saves on request that are granted at once; each [`REFILL`] permits one more.
const BURST: u32 = 10;
/// The time after which one more save is granted: a script that asks every second must not cut the work
/// into thousands of small parts.
const REFILL: Duration = Duration::from_secs(60);

/// A request to save the work so far, and to end or to go on; shared with signal handlers.
///
/// Whoever computes looks at it: between two slices of rows, within a slice between the layers of an encoder,
/// between two steps of a training, two blocks of an input. The call returns [`Interrupted`] then, usually within a
/// second. Some steps look at nothing, such as loading the weights of a model; they have nothing to save either.
///
/// A program that must end in time, as at a signal, need not wait for those. Work that is not saved yet is
/// announced by [`unsaved`](Self::unsaved): once a stop was requested and [`has_unsaved`](Self::has_unsaved) is
/// false, everything that was computed is on disk, and the program may remove its temporaries
/// ([`vnp_ckpt::temporaries::remove_all`]) and exit, on a thread of its own, wherever the others are. `vnp` does
/// so one second after the signal:
///
/// ```no_run
/// # let stop = vnp_job::StopFlag::default();
/// # let code = 143;
/// // On the thread that waits for signals, after the first.
/// stop.request(15);
/// std::thread::sleep(std::time::Duration::from_secs(1));
/// while stop.has_unsaved() {
///     std::thread::sleep(std::time::Duration::from_millis(20));
/// }
/// vnp_ckpt::temporaries::remove_all();
/// std::process::exit(code);
/// ```
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
    // 0 = go on. Plain atomics, because a signal handler may do nothing more than set them.
    signal: Arc<AtomicUsize>,
    save: Arc<AtomicBool>,
    granted: Arc<Mutex<Granted>>,
    unsaved: Arc<AtomicUsize>,
}

/// Work in memory that no file holds yet: an interrupted process waits until this is dropped.
#[derive(Debug)]
pub struct Unsaved(Arc<AtomicUsize>);

impl Drop for Unsaved {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

/// A signal asked the job to end; the work so far is saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("interrupted by {}; the work so far is saved: continue with --resume", self.cause())]
pub struct Interrupted {
    /// The number of the signal.
    pub signal: usize,
}

impl Interrupted {
    /// The signal in words: `SIGXCPU (CPU time limit)`.
    ///
    /// ```
    /// assert_eq!(vnp_job::Interrupted { signal: 15 }.cause(), "SIGTERM");
    /// ```
    #[must_use]
    pub fn cause(&self) -> String {
        // The numbers of Linux and macOS.
        match self.signal {
            1 => "SIGHUP (the terminal or session was closed)".to_owned(),
            2 => "SIGINT".to_owned(),
            15 => "SIGTERM".to_owned(),
            24 => "SIGXCPU (CPU time limit)".to_owned(),
            other => format!("signal {other}"),
        }
    }
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

    /// Announces work that is not saved yet, until the result is dropped. That is to be done when the work is
    /// saved, which whoever holds it does soon after a stop was requested.
    #[must_use]
    pub fn unsaved(&self) -> Unsaved {
        self.unsaved.fetch_add(1, Ordering::AcqRel);
        Unsaved(Arc::clone(&self.unsaved))
    }

    /// Whether anyone holds work that is not saved yet.
    ///
    /// ```
    /// let stop = vnp_job::StopFlag::default();
    /// let row = stop.unsaved();
    /// assert!(stop.clone().has_unsaved());
    /// drop(row);
    /// assert!(!stop.has_unsaved());
    /// ```
    #[must_use]
    pub fn has_unsaved(&self) -> bool {
        self.unsaved.load(Ordering::Acquire) > 0
    }

    /// The shared number itself, for `signal_hook::flag::register_usize`.
    #[must_use]
    pub fn shared(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.signal)
    }

    /// Asks the job to save its work and go on.
    pub fn request_save(&self) {
        self.save.store(true, Ordering::Relaxed);
    }

    /// The shared request to save, for `signal_hook::flag::register`.
    #[must_use]
    pub fn shared_save(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.save)
    }

    /// How many requests to save were granted so far. Whoever holds unsaved work asks for the number
    /// between two steps, and saves when it is another one than at the last save.
    ///
    /// The first ten requests are granted at once and then one per minute; those in between count as one,
    /// which is granted when the minute is over.
    ///
    /// ```
    /// let stop = vnp_job::StopFlag::default();
    /// assert_eq!(stop.saves_granted(), 0);
    /// stop.request_save();
    /// assert_eq!((stop.saves_granted(), stop.saves_granted()), (1, 1));
    /// ```
    #[must_use]
    pub fn saves_granted(&self) -> u64 {
        let mut granted = self.granted.lock().unwrap_or_else(PoisonError::into_inner);
        if self.save.load(Ordering::Relaxed) && granted.take(Instant::now()) {
            self.save.store(false, Ordering::Relaxed);
            log::info!("asked to save: the work so far is saved, and the job goes on");
        }
        granted.count
    }
}

/// The requests to save that were granted, and how many more may be.
#[derive(Debug)]
struct Granted {
    count: u64,
    left: u32,
    /// The time up to which `left` was refilled.
    refilled: Option<Instant>,
}

impl Default for Granted {
    fn default() -> Self {
        Self { count: 0, left: BURST, refilled: None }
    }
}

impl Granted {
    /// Grants one more request, if that is permitted now.
    fn take(&mut self, now: Instant) -> bool {
        let since = *self.refilled.get_or_insert(now);
        let periods = now.saturating_duration_since(since).as_secs() / REFILL.as_secs();
        let periods = u32::try_from(periods).unwrap_or(u32::MAX);
        if periods > 0 {
            self.left = self.left.saturating_add(periods).min(BURST);
            self.refilled = since.checked_add(REFILL.saturating_mul(periods));
        }
        if self.left == 0 {
            return false;
        }
        self.left -= 1;
        self.count += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(signal: usize, cause: &str) {
        let text = Interrupted { signal }.to_string();
        assert!(text.contains(&format!("interrupted by {cause};")), "{text}");
    }

    #[test]
    fn the_cause_is_named() {
        check(1, "SIGHUP (the terminal or session was closed)");
        check(2, "SIGINT");
        check(15, "SIGTERM");
        check(24, "SIGXCPU (CPU time limit)");
        check(99, "signal 99");
    }

    #[test]
    fn a_request_is_seen_by_every_clone_and_granted_once() {
        let stop = StopFlag::default();
        let other = stop.clone();
        stop.request_save();
        stop.request_save();
        assert_eq!((other.saves_granted(), stop.saves_granted()), (1, 1));
        other.request_save();
        assert_eq!(stop.saves_granted(), 2);
        assert_eq!(stop.requested(), None, "a save is not a stop");
    }

    #[test]
    fn a_storm_of_requests_is_slowed_down() {
        let (mut granted, start) = (Granted::default(), Instant::now());
        let at = |seconds| start + Duration::from_secs(seconds);
        let taken = (0..600).filter(|second| granted.take(at(*second))).count();
        assert_eq!(taken, 10 + 9);
        assert!(!granted.take(at(599)), "the minute is not over");
        assert!(granted.take(at(600)));
        // After a quiet hour a burst is permitted again, and no more than that.
        assert_eq!((0..20).filter(|_| granted.take(at(4200))).count(), 10);
    }
}
