use std::path::PathBuf;

use vnp_seq::{ChunkLength, FrameReader, RecordOutcome, RecordStatus};

use crate::error::Error;
use crate::observer::{Event, Observer};
use crate::stop::StopFlag;

/// What the first reading of the input found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// Records of every kind.
    pub records: u64,
    /// Their bases.
    pub bases: u64,
    /// Chunks cut from them.
    pub chunks: u64,
    /// Stop-free frames: the rows of the run.
    pub rows: u64,
    /// Records without a stop-free frame.
    pub no_open_frame: u64,
    /// Records shorter than one codon.
    pub too_short: u64,
    /// Records without a sequence.
    pub empty: u64,
    /// Records that are no nucleotide sequence.
    pub failed: u64,
    /// SHA-256 over ids and sequences in order.
    pub input_digest: String,
}

impl Survey {
    fn count(&mut self, outcome: &RecordOutcome) {
        self.records += 1;
        self.bases += outcome.length_bp;
        self.chunks += outcome.chunks;
        self.rows += outcome.frames;
        match outcome.status {
            RecordStatus::HasFrames => {}
            RecordStatus::NoOpenFrame => self.no_open_frame += 1,
            RecordStatus::TooShort => self.too_short += 1,
            RecordStatus::Empty => self.empty += 1,
            RecordStatus::Failed { .. } => self.failed += 1,
        }
    }
}

/// Reads the whole input once: how many rows there are and what they are rows of.
///
/// `None` when a stop was asked for. An input in which every record that has letters fails is an
/// error: that is a protein file or something worse, not a partial success.
pub(crate) fn survey(
    inputs: &[PathBuf],
    chunk_length: ChunkLength,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<Option<Survey>, Error> {
    let mut reader = FrameReader::open(inputs, chunk_length)?;
    let mut survey = Survey::default();
    let mut first_failed = None;
    while let Some(block) = reader.next_block()? {
        if stop.requested().is_some() {
            return Ok(None);
        }
        for outcome in &block.records {
            survey.count(outcome);
            if let (None, RecordStatus::Failed { reason }) = (&first_failed, &outcome.status) {
                first_failed = Some((outcome.id.clone(), reason.clone()));
            }
        }
        observer.event(Event::Surveying { records: survey.records, bases: survey.bases });
    }
    if let Some((id, reason)) = first_failed
        && survey.failed + survey.empty == survey.records
    {
        return Err(Error::NoNucleotides { records: survey.records, id, reason });
    }
    survey.input_digest =
        reader.input_digest().map(|digest| digest.to_string()).unwrap_or_default();
    observer.event(Event::Surveyed(&survey));
    Ok(Some(survey))
}
