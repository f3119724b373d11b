//! `prediction_results_highestscore.csv`: one verdict per chunk, as the published VirNucPro writes it,
//! sorted by name.

use std::path::{Path, PathBuf};

use vnp_job::Error;
use vnp_job::publish::{CompleteFile, Output};

use super::sorter::Sorter;
use super::tally::ChunkTally;

/// `prediction_results_highestscore.csv`: one row per scored chunk, sorted by id.
#[derive(Debug)]
pub(crate) struct Consensus {
    output: Output,
    sorter: Sorter,
}

impl Consensus {
    /// Sorts through temporary files in `scratch`.
    pub(crate) fn create(path: PathBuf, scratch: &Path) -> Result<Self, Error> {
        let mut output = Output::create(path)?;
        output.line("Modified_ID\tIs_Virus")?;
        Ok(Self { output, sorter: Sorter::new(scratch) })
    }

    pub(crate) fn add(&mut self, chunk: &ChunkTally) -> Result<(), Error> {
        if let Some(viral) = chunk.is_viral() {
            let text = if viral { "True" } else { "False" };
            self.sorter.add(chunk.id.clone(), text.to_owned())?;
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Result<CompleteFile, Error> {
        let Self { mut output, sorter } = self;
        sorter.finish(|id, viral| {
            output.row(&format!("{id}\t{viral}")).map_err(std::io::Error::other)
        })?;
        output.finish()
    }
}
