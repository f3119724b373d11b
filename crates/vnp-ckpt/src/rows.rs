//! Which rows of a stage a checkpoint holds.

use std::fmt;

/// Rows `[start, end)` of a stage: half-open, counted from 0.
///
/// ```
/// use vnp_ckpt::RowRange;
///
/// let rows = RowRange { start: 8192, end: 16384 };
/// assert_eq!(rows.len(), 8192);
/// assert!(rows.contains(8192) && !rows.contains(16384));
/// assert_eq!(rows.to_string(), "8192..16384");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct RowRange {
    /// The first row.
    pub start: u64,
    /// The row after the last.
    pub end: u64,
}

impl RowRange {
    /// The rows `[start, end)`.
    #[must_use]
    pub const fn new(start: u64, end: u64) -> Self {
        Self { start, end }
    }

    /// Number of rows; 0 for a range whose end is before its start.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end.saturating_sub(self.start)
    }

    /// Whether there is no row.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Whether `row` is among the rows.
    #[must_use]
    pub const fn contains(&self, row: u64) -> bool {
        self.start <= row && row < self.end
    }
}

impl fmt::Display for RowRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.end)
    }
}
