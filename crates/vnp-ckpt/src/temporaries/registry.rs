//! What this process would leave behind if it ended now, and its removal before it does.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Removes one thing.
type Removal = Box<dyn Fn() + Send>;

/// Of the whole process, because it is the process that ends.
static REGISTRY: Mutex<Registry> = Mutex::new(Registry { next: 0, removals: BTreeMap::new() });

/// The things to remove, in the order in which they were made.
pub(crate) struct Registry {
    next: u64,
    removals: BTreeMap<u64, Removal>,
}

impl Registry {
    /// Adds something that was just made.
    pub(crate) fn add(&mut self, removal: impl Fn() + Send + 'static) -> Registered {
        self.next += 1;
        self.removals.insert(self.next, Box::new(removal));
        Registered(self.next)
    }
}

/// Something that [`remove_all`] removes as long as this lives.
#[must_use]
pub struct Registered(u64);

impl Registered {
    /// Registers what `removal` removes. It runs on another thread, once, and must not wait for this one.
    pub fn new(removal: impl Fn() + Send + 'static) -> Self {
        hold().add(removal)
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Registered").field(&self.0).finish()
    }
}

impl Drop for Registered {
    fn drop(&mut self) {
        hold().removals.remove(&self.0);
    }
}

/// Keeps [`remove_all`] from running, as while something is made or gets its final name.
pub(crate) fn hold() -> MutexGuard<'static, Registry> {
    REGISTRY.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Removes every temporary of this process, the newest first. **Only right before the process ends:** from then on
/// no temporary can be made, published or dropped; a thread that tries waits until the end.
///
/// What has its final name stays, and nothing can get one any more.
pub fn remove_all() {
    let registry = hold();
    registry.removals.values().rev().for_each(|removal| removal());
    std::mem::forget(registry);
}
