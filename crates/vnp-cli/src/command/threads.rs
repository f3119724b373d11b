//! The number of worker threads.

use std::num::NonZeroUsize;

/// Sets the number of threads of every parallel part; none means all that are available. Must be
/// called before the first of those parts starts.
pub(super) fn use_threads(threads: Option<NonZeroUsize>) -> anyhow::Result<()> {
    // rayon takes 0 for all available threads.
    let threads = threads.map_or(0, usize::from);
    rayon::ThreadPoolBuilder::new().num_threads(threads).build_global()?;
    Ok(())
}
