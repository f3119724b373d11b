//! Row numbers of a run as indices into a window.

/// How far row `to` lies behind row `from`, as an index into a window.
pub(super) fn offset(to: u64, from: u64) -> usize {
    debug_assert!(to >= from, "row {to} lies before {from}");
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
