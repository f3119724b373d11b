//! What a worker does with windows of rows, and the loop that gives it one after the other.

use vnp_ckpt::RowRange;
use vnp_infer::Model;

use super::cancellation::Ended;
use super::handle::SessionHandle;
use super::prefetcher::{Job, Queue};
use crate::options::Goal;
use crate::row::Row;

/// How rows are computed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// What a row is computed for.
    pub(crate) goal: Goal,
    /// Rows that the head scores at once.
    pub(crate) score_batch_rows: usize,
}

/// Takes windows of the rows of one track through its stages on one device, and saves each as it
/// is computed.
pub(crate) trait Worker<R> {
    /// Takes one window through every stage in which rows of it are missing.
    fn window(
        &mut self,
        session: &mut SessionHandle<'_>,
        window: RowRange,
        rows: &[R],
    ) -> Result<(), Ended>;
}

/// Rows that a worker pool can compute.
pub(crate) trait Computable: Row {
    /// The worker that computes them with this model.
    fn worker<'m>(model: &'m Model, settings: Settings) -> Box<dyn Worker<Self> + 'm>;
}

/// Computes windows as they come, until there are no more.
pub(super) fn work<R>(
    worker: &mut dyn Worker<R>,
    mut session: SessionHandle<'_>,
    queue: &Queue<R>,
) -> Result<(), Ended> {
    while let Some(Job { window, rows }) = queue.next() {
        session.check()?;
        session.begin(window)?;
        worker.window(&mut session, window, &rows)?;
        session.done()?;
        session.check()?;
    }
    Ok(())
}
