mod closed_chunks;
mod embedder;
mod feed;
mod frames;
mod halt;
mod link;
mod pace;
mod session;
mod slices;
mod team;

use vnp_ckpt::RowRange;
use vnp_infer::Model;

use crate::error::Error;
use crate::row::Row;
use feed::Job;
use link::Link;
pub(crate) use session::{Session, Work};
use team::Queue;
pub(crate) use team::Team;

/// Whether the work was done or a stop was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Flow {
    Done,
    Stopped,
}

impl Flow {
    /// Done only if both are.
    fn and(self, other: Self) -> Self {
        if self == Self::Done { other } else { self }
    }
}

/// Takes windows of the rows of one track through its stages on one device, and saves each as it
/// is computed.
pub(crate) trait Worker<R> {
    /// One window through every stage of which it lacks rows.
    fn window(&mut self, link: &mut Link<'_>, window: RowRange, rows: &[R]) -> Result<Flow, Error>;
}

/// Rows that a team can compute.
pub(crate) trait Computable: Row {
    /// Who computes them with this model; the head scores `batch_rows` at once.
    fn worker<'m>(model: &'m Model, batch_rows: usize) -> Box<dyn Worker<Self> + 'm>;
}

/// Computes windows as they come.
fn work<R>(
    worker: &mut dyn Worker<R>,
    mut link: Link<'_>,
    queue: &Queue<R>,
) -> Result<Flow, Error> {
    while let Some(Job { window, rows }) = queue.next() {
        if link.is_stopped() {
            return Ok(Flow::Stopped);
        }
        link.begin(window)?;
        if worker.window(&mut link, window, &rows)? == Flow::Stopped {
            return Ok(Flow::Stopped);
        }
        link.done()?;
        if link.is_stopped() {
            return Ok(Flow::Stopped);
        }
    }
    Ok(Flow::Done)
}

/// How far `to` lies behind `from`, as an index into a window.
fn offset(to: u64, from: u64) -> usize {
    usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX)
}
