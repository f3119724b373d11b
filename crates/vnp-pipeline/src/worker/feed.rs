use std::sync::mpsc::SyncSender;

use vnp_ckpt::RowRange;
use vnp_seq::{FrameReader, FrameRow};

use super::Flow;
use super::halt::Halt;
use crate::error::Error;

/// A window with its frames.
pub(super) struct Job {
    pub(super) window: RowRange,
    pub(super) frames: Vec<FrameRow>,
}

/// Reads the frames of windows ahead of those who compute them.
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
    pub(super) fn run(mut self, jobs: &SyncSender<Job>) -> Result<Flow, Error> {
        let mut windows = self.windows.iter().copied();
        let Some(mut window) = windows.next() else { return Ok(Flow::Done) };
        let mut frames: Vec<FrameRow> = Vec::new();
        let mut row = 0_u64;
        while let Some(block) = self.reader.next_block()? {
            for frame in block.rows {
                let at = row;
                row += 1;
                if at < window.start {
                    continue;
                }
                frames.push(frame);
                if row < window.end {
                    continue;
                }
                if jobs.send(Job { window, frames: std::mem::take(&mut frames) }).is_err() {
                    return Ok(Flow::Stopped);
                }
                let Some(next) = windows.next() else { return Ok(Flow::Done) };
                window = next;
            }
            if self.halt.is_asked() {
                return Ok(Flow::Stopped);
            }
        }
        Err(Error::InputChanged { found: format!("it ended after {row} frames") })
    }
}
