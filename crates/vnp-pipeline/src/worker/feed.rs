use std::sync::mpsc::SyncSender;

use vnp_ckpt::RowRange;
use vnp_seq::FrameReader;

use super::Flow;
use super::halt::Halt;
use crate::error::Error;
use crate::row::Row;

/// A window with its rows.
pub(super) struct Job<R> {
    pub(super) window: RowRange,
    pub(super) rows: Vec<R>,
}

/// Reads the rows of windows ahead of those who compute them.
pub(super) struct Feed<'a> {
    pub(super) reader: FrameReader,
    /// Ascending, disjoint.
    pub(super) windows: &'a [RowRange],
    pub(super) halt: &'a Halt<'a>,
}

impl Feed<'_> {
    /// Hands over window after window, until the last one, a stop, or nobody takes them any more.
    ///
    /// One window is read while nobody asks for it; `jobs` may hold others.
    pub(super) fn run<R: Row>(mut self, jobs: &SyncSender<Job<R>>) -> Result<Flow, Error> {
        let mut windows = self.windows.iter().copied();
        let Some(mut window) = windows.next() else { return Ok(Flow::Done) };
        let mut rows: Vec<R> = Vec::new();
        let mut next = 0_u64;
        while let Some(block) = self.reader.next_block()? {
            for row in R::of_block(block) {
                let at = next;
                next += 1;
                if at < window.start {
                    continue;
                }
                rows.push(row);
                if next < window.end {
                    continue;
                }
                if jobs.send(Job { window, rows: std::mem::take(&mut rows) }).is_err() {
                    return Ok(Flow::Stopped);
                }
                let Some(following) = windows.next() else { return Ok(Flow::Done) };
                window = following;
            }
            if self.halt.is_asked() {
                return Ok(Flow::Stopped);
            }
        }
        Err(Error::InputChanged { found: format!("it ended after {next} rows") })
    }
}
