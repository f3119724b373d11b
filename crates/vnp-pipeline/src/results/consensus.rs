//! `prediction_results_highestscore.csv`: one verdict per chunk, as the published VirNucPro writes it,
//! sorted by name.

use std::path::{Path, PathBuf};

use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};
use vnp_job::sorter::{Entry, Sorter};

use super::tally::ChunkTally;

/// `prediction_results_highestscore.csv`: one row per scored chunk, sorted by id.
#[derive(Debug)]
pub(crate) struct Consensus {
    output: Output,
    sorter: Sorter,
    chunks: u64,
}

impl Consensus {
    /// Sorts through temporary files in `scratch`.
    pub(crate) fn create(path: PathBuf, scratch: &Path) -> Result<Self, Error> {
        let mut output = Output::create(path)?;
        output.line("Modified_ID\tIs_Virus")?;
        Ok(Self { output, sorter: Sorter::new(scratch), chunks: 0 })
    }

    pub(crate) fn add(&mut self, chunk: &ChunkTally) -> Result<(), Error> {
        if let Some(viral) = chunk.is_viral() {
            // Chunks of one id stay in the order in which they come.
            self.sorter.add(chunk.id(), self.chunks << 1 | u64::from(viral))?;
            self.chunks += 1;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        let Self { mut output, sorter, .. } = self;
        for entry in sorter.finish()? {
            let Entry { key: mut line, value } = entry?;
            line.extend(if value & 1 == 1 { b"\tTrue".as_slice() } else { b"\tFalse" });
            output.row(line)?;
        }
        output.finish()
    }
}
