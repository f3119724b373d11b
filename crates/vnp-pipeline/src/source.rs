//! The inputs of a run as something that can be opened again and again.

use std::io::Read;
use std::path::{Path, PathBuf};

use vnp_job::parts::Track;
use vnp_job::{Input, Refusal};
use vnp_seq::{ChunkLength, FrameReader};

use crate::error::Error;

/// The inputs of a run, which are read as often as needed and never held.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Source<'a> {
    pub(crate) inputs: &'a [PathBuf],
    /// What messages call them.
    pub(crate) names: &'a [PathBuf],
    pub(crate) chunk_length: ChunkLength,
    /// Refuse inputs that may be truncated.
    pub(crate) strict: bool,
    /// Where long records are kept while they are cut.
    pub(crate) scratch: &'a Path,
}

impl Source<'_> {
    /// Opens the inputs for the rows of some tracks.
    pub(crate) fn open(&self, tracks: &[Track]) -> Result<FrameReader, Error> {
        let reader = FrameReader::open_as(self.inputs, self.names, self.chunk_length)?;
        let reader = reader.strict(self.strict).scratch(self.scratch);
        Ok(match tracks.contains(&Track::OrflessChunks) {
            true => reader.with_orfless_chunks(),
            false => reader,
        })
    }
}

/// Opens an input that can be read once, if its first bytes are those of a sequence file.
pub(crate) fn open_stream(input: Input) -> Result<Box<dyn Read + Send>, Refusal> {
    Ok(match input {
        Input::File(path) => vnp_seq::open_recognised(&path)?,
        Input::Stream(stream) => vnp_seq::recognised(Path::new("standard input"), stream)?,
    })
}
