//! When unsaved work should be saved: after an interval, or because a save was asked for.

use std::time::{Duration, Instant};

use crate::stop::StopFlag;

/// Knows when work was last saved, and which requests to save that answered.
///
/// ```
/// use std::time::Duration;
/// use vnp_job::{SaveClock, StopFlag};
///
/// let stop = StopFlag::default();
/// let mut clock = SaveClock::new(Duration::from_secs(300), &stop);
/// assert!(!clock.is_due(&stop));
/// stop.request_save();
/// assert!(clock.is_due(&stop));
/// clock.begin(&stop);
/// // … the work is saved …
/// clock.saved();
/// assert!(!clock.is_due(&stop));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct SaveClock {
    interval: Duration,
    last_saved: Instant,
    /// The requests to save that were granted when the last save began.
    answered: u64,
}

impl SaveClock {
    /// A clock for work that begins now.
    #[must_use]
    pub fn new(interval: Duration, stop: &StopFlag) -> Self {
        Self { interval, last_saved: Instant::now(), answered: stop.saves_granted() }
    }

    /// Whether the work should be saved now.
    #[must_use]
    pub fn is_due(&self, stop: &StopFlag) -> bool {
        self.elapsed() >= self.interval || stop.saves_granted() != self.answered
    }

    /// The time since the last save.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.last_saved.elapsed()
    }

    /// A save begins: a request that comes while it is made is one for the work after it.
    pub fn begin(&mut self, stop: &StopFlag) {
        self.answered = stop.saves_granted();
    }

    /// The save is made: the interval begins anew.
    pub fn saved(&mut self) {
        self.last_saved = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_interval_without_a_save_makes_one_due() {
        let stop = StopFlag::default();
        assert!(SaveClock::new(Duration::ZERO, &stop).is_due(&stop));
        assert!(!SaveClock::new(Duration::from_secs(3600), &stop).is_due(&stop));
    }

    #[test]
    fn a_request_during_a_save_is_answered_by_the_next() {
        let stop = StopFlag::default();
        let mut clock = SaveClock::new(Duration::from_secs(3600), &stop);
        clock.begin(&stop);
        stop.request_save();
        clock.saved();
        assert!(clock.is_due(&stop));
    }
}
