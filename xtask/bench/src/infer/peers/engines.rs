//! The interface to engines that run outside of this process.

use anyhow::Result;

use crate::infer::engine::Engine;
use crate::infer::work::Run;

/// Engines that do the same work as ours.
pub(crate) trait Peers {
    /// The engines that could be loaded.
    fn engines(&self) -> &[Engine];

    /// Runs one engine over all sequences.
    fn run(&mut self, engine: Engine) -> Result<Run>;

    /// Ends what holds the engines, to free its memory.
    fn stop(self: Box<Self>) -> Result<()> {
        Ok(())
    }
}
