use std::sync::atomic::{AtomicBool, Ordering};

use crate::stop::StopFlag;

/// Whether everyone should save what they have and end: a stop was asked for, or one of them
/// failed.
#[derive(Debug)]
pub(super) struct Halt<'a> {
    stop: &'a StopFlag,
    failed: AtomicBool,
}

impl<'a> Halt<'a> {
    pub(super) fn new(stop: &'a StopFlag) -> Self {
        Self { stop, failed: AtomicBool::new(false) }
    }

    /// Says that one has failed, so that the others need not go on.
    pub(super) fn failed(&self) {
        self.failed.store(true, Ordering::Relaxed);
    }

    pub(super) fn is_asked(&self) -> bool {
        self.stop.requested().is_some() || self.failed.load(Ordering::Relaxed)
    }
}
