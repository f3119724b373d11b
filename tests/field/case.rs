//! A situation, and what is expected of it.

use crate::support::Bench;

/// A situation.
pub(super) struct Case {
    pub(super) input: &'static str,
    pub(super) command: &'static str,
    pub(super) expected: &'static str,
    /// Asserts it, in a bench with the recipes in its directory `field`.
    pub(super) check: fn(&Bench),
}
