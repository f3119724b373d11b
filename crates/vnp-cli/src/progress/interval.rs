//! The interval of progress messages.

use std::time::Duration;

/// The time between two progress messages where no bar is drawn.
pub(super) const INTERVAL: Duration = Duration::from_secs(30);
