//! The first reading: ids, digest, records that cannot be embedded, and letters that are refused.

use vnp_escape::{escaped, shown};
use vnp_job::StopFlag;

use super::failures::{Failures, NAMED};
use super::options::{RecordReading, UnknownResidues};
use super::records::{EmbedRecord, RecordSource};
use crate::error::Error;

/// What the first reading found.
#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Records: rows of the output.
    pub(super) rows: u64,
    /// Their ids, in order: the output's ids come before its values, so that they are held. Taken when the
    /// output is written.
    pub(super) ids: Vec<String>,
    /// Records that cannot be embedded.
    pub(super) failed: Failures,
    pub(super) input_digest: String,
}

/// Reads the whole input once. Letters that are refused are found here, before anything is computed.
pub(super) fn survey(source: RecordSource<'_>, stop: &StopFlag) -> Result<Survey, Error> {
    let mut records = source.open()?;
    let mut survey = Survey::default();
    let mut refused = Refused::default();
    let mut first_with_letters = None;
    while let Some(record) = records.next()? {
        stop.check()?;
        if source.reading == RecordReading::Proteins(UnknownResidues::Refuse) {
            refused.add(&record);
        }
        survey.rows += 1;
        if let Some(reason) = record.failure {
            survey.failed.add(&record.id, reason.clone());
            if !record.letters.is_empty() {
                first_with_letters.get_or_insert((survey.rows, record.id.clone(), reason));
            }
        }
        survey.ids.push(record.id);
    }
    refused.finish()?;
    // An input in which every record that has letters fails is an error: that is a protein file or
    // something worse, not a partial success.
    if let Some((record, id, reason)) = first_with_letters
        && survey.failed.count == survey.rows
    {
        let (file, id) = (source.name.to_owned(), shown(id).to_string());
        return Err(Error::NoNucleotides { records: survey.rows, file, record, id, reason });
    }
    survey.input_digest = records.digest();
    Ok(survey)
}

/// Records with letters that are refused.
#[derive(Debug, Default)]
struct Refused {
    named: Vec<String>,
    more: u64,
}

impl Refused {
    fn add(&mut self, record: &EmbedRecord) {
        let Some((letter, position)) = record.unknown else { return };
        if self.named.len() == NAMED {
            self.more += 1;
            return;
        }
        let stop = if letter == '*' { " (a stop codon)" } else { "" };
        let letter = escaped(letter);
        self.named.push(format!(
            "record \"{}\": '{letter}'{stop} at position {position}",
            shown(&record.id)
        ));
    }

    fn finish(self) -> Result<(), Error> {
        let Self { named: mut records, more } = self;
        if more > 0 {
            records.push(format!("and {more} more records"));
        }
        if records.is_empty() { Ok(()) } else { Err(Error::UnknownResidues { records }) }
    }
}
