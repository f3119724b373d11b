//! Bounds the memory of files that are validated in parallel by their total size.

use std::sync::{Condvar, Mutex, PoisonError};

/// The total size of the files that may be inspected at the same time.
pub(super) struct Budget {
    total_bytes: u64,
    free_bytes: Mutex<u64>,
    released: Condvar,
}

/// A part of the budget, released when dropped.
pub(super) struct Reservation<'b> {
    budget: &'b Budget,
    bytes: u64,
}

impl Budget {
    pub(super) fn new(bytes: u64) -> Self {
        let total_bytes = bytes.max(1);
        let free_bytes = Mutex::new(total_bytes);
        Self { total_bytes, free_bytes, released: Condvar::new() }
    }

    /// Waits until the bytes are free. A file larger than the whole budget waits until it is alone.
    /// A holder of a reservation never waits for another one, so that there is no deadlock.
    pub(super) fn reserve(&self, bytes: u64) -> Reservation<'_> {
        let bytes = bytes.min(self.total_bytes);
        let free = self.free_bytes.lock().unwrap_or_else(PoisonError::into_inner);
        let mut free = self
            .released
            .wait_while(free, |free| *free < bytes)
            .unwrap_or_else(PoisonError::into_inner);
        *free -= bytes;
        Reservation { budget: self, bytes }
    }
}

impl Drop for Reservation<'_> {
    fn drop(&mut self) {
        *self.budget.free_bytes.lock().unwrap_or_else(PoisonError::into_inner) += self.bytes;
        self.budget.released.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    #[test]
    fn reservations_never_exceed_the_budget() {
        let (budget, taken, most) = (Budget::new(10), AtomicU64::new(0), AtomicU64::new(0));
        std::thread::scope(|scope| {
            for thread in 0..8_u64 {
                let (budget, taken, most) = (&budget, &taken, &most);
                scope.spawn(move || {
                    for step in 0..200 {
                        let reservation = budget.reserve((thread * 7 + step * 3) % 25);
                        let now = taken.fetch_add(reservation.bytes, Ordering::SeqCst)
                            + reservation.bytes;
                        most.fetch_max(now, Ordering::SeqCst);
                        taken.fetch_sub(reservation.bytes, Ordering::SeqCst);
                    }
                });
            }
        });
        assert!(most.into_inner() <= 10);
        assert_eq!(*budget.free_bytes.lock().unwrap(), 10);
    }
}
