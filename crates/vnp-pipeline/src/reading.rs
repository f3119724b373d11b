//! Reading the whole input: to learn how many rows there are and what they are rows of, and to
//! confirm later that it is still the same input.

use std::path::PathBuf;

use vnp_escape::shown_bytes;
use vnp_job::StopFlag;
use vnp_job::parts::Track;
use vnp_seq::{Block, FrameReader, RecordOutcome, RecordStatus};

use crate::duplicates::finder::{DuplicateFinder, Suffixes};
use crate::error::Error;
use crate::estimate::sizes::Sizes;
use crate::event::Event;
use crate::source::Source;
use crate::survey::Survey;

/// An unfinished survey.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    survey: Survey,
    first_failed: Option<FirstFailed>,
    /// The file that is read, and the number of its first record.
    input: (usize, u64),
}

/// The first record that is not a nucleotide sequence.
#[derive(Debug)]
struct FirstFailed {
    input: usize,
    /// Its number in the file, counted from 1.
    record: u64,
    id: String,
    reason: String,
}

impl Tally {
    pub(crate) fn add(&mut self, block: &Block) {
        self.survey.orfless_chunks += block.orfless.len() as u64;
        for outcome in &block.records {
            self.count(outcome);
            let head = &outcome.record;
            if head.input != self.input.0 {
                self.input = (head.input, head.number);
            }
            if let (None, RecordStatus::Failed { reason }) = (&self.first_failed, &outcome.status) {
                let (input, record) = (head.input, head.number - self.input.1 + 1);
                let (id, reason) = (shown_bytes(&head.raw_id()).to_string(), reason.clone());
                self.first_failed = Some(FirstFailed { input, record, id, reason });
            }
        }
    }

    /// The progress of the reading.
    pub(crate) fn event(&self) -> Event<'_> {
        Event::Surveying { records: self.survey.records, bases: self.survey.bases }
    }

    /// The survey of an input that was read to its end. An input in which every record that has
    /// letters fails is an error: that is a protein file or something worse, not a partial success.
    ///
    /// Messages call the inputs `names`.
    pub(crate) fn finish(self, reader: &FrameReader, names: &[PathBuf]) -> Result<Survey, Error> {
        let Self { mut survey, first_failed, .. } = self;
        if let Some(FirstFailed { input, record, id, reason }) = first_failed
            && survey.failed + survey.empty == survey.records
        {
            let file = names.get(input).cloned().unwrap_or_default();
            let records = survey.records;
            return Err(Error::NoNucleotides { records, file, record, id, reason });
        }
        survey.input_digest = digest(reader);
        survey.maybe_truncated = reader.maybe_truncated();
        Ok(survey)
    }

    fn count(&mut self, outcome: &RecordOutcome) {
        let survey = &mut self.survey;
        survey.records += 1;
        survey.bases += outcome.length_bp;
        survey.chunks += outcome.chunks;
        survey.rows += outcome.frames;
        match outcome.status {
            RecordStatus::HasFrames => {}
            RecordStatus::NoOrf => survey.no_open_frame += 1,
            RecordStatus::TooShort => survey.too_short += 1,
            RecordStatus::Empty => survey.empty += 1,
            RecordStatus::Failed { .. } => survey.failed += 1,
        }
    }
}

/// What the first reading of the input found.
#[derive(Debug)]
pub(crate) struct FirstReading {
    pub(crate) survey: Survey,
    pub(crate) sizes: Sizes,
    /// What is appended to ids in tables.
    pub(crate) suffixes: Suffixes,
}

/// Reads the whole input once: how many rows there are, what they are rows of, how long they are, and
/// whether ids occur more than once, which `finder` finds.
pub(crate) fn survey(
    source: Source<'_>,
    tracks: &[Track],
    mut finder: DuplicateFinder<'_>,
    observer: &dyn Fn(Event<'_>),
    stop: &StopFlag,
) -> Result<FirstReading, Error> {
    let mut reader = source.open(tracks)?;
    let mut tally = Tally::default();
    let mut sizes = Sizes::default();
    while let Some(block) = reader.next_block()? {
        stop.check()?;
        tally.add(&block);
        sizes.add(&block);
        block.records.iter().try_for_each(|outcome| finder.add(&outcome.record))?;
        observer(tally.event());
    }
    let mut survey = tally.finish(&reader, source.names)?;
    let (duplicate_ids, suffixes) = finder.finish()?;
    survey.duplicate_ids = duplicate_ids;
    observer(Event::Surveyed(&survey));
    Ok(FirstReading { survey, sizes, suffixes })
}

/// Reads an input to its end, and fails if it is not what the survey saw.
///
/// Called at the end of the last reading, and before a part is blamed for not fitting the input.
pub(crate) fn confirm(reader: &mut FrameReader, survey: &Survey) -> Result<(), Error> {
    while reader.next_block()?.is_some() {}
    let found = digest(reader);
    if found == survey.input_digest {
        return Ok(());
    }
    Err(Error::InputChanged { found: format!("its digest is now {found}") })
}

fn digest(reader: &FrameReader) -> String {
    // The digest is complete at the end of the input, where callers are.
    debug_assert!(reader.input_digest().is_some());
    reader.input_digest().map(|digest| digest.to_string()).unwrap_or_default()
}
