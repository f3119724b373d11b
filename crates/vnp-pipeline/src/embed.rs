//! A run of `vnp embed`: one embedding per record, saved in parts and published as one checkpoint.
//!
//! [`embed`] works as [`predict`](crate::predict) does, over records in place of ORFs and with one encoder:
//! the input is read once to learn what it is, rows that no part holds are computed and saved, and the
//! output is written from the parts, whose rows are compared with the input. Parts, lock and copies of
//! streams lie in a directory next to the output, `OUT.parts`, which goes once the output is durable.

mod compute;
mod event;
mod failures;
mod identity;
mod lazy_encoder;
mod options;
mod output;
mod publication;
mod records;
mod replacement;
mod survey;

use std::collections::BTreeMap;

use vnp_ckpt::RowRange;
use vnp_escape::escaped_path;
use vnp_job::parts::{
    Expectation, Inspection, Inventory, Provenance, Stage, Track, Trust, inspect, windows,
};
use vnp_job::{
    Input, JobDirectory, JobKind, OnBadFile, SpooledInput, Start, StopFlag, refuse_link,
};

use self::compute::Computation;
pub use self::event::EmbedEvent;
pub use self::failures::Failures;
use self::identity::EmbedIdentity;
use self::lazy_encoder::LazyEncoder;
pub use self::options::{EmbedOptions, EncoderInfo, LoadEncoder, RecordReading, UnknownResidues};
use self::output::{Existing, Output};
use self::publication::Publication;
use self::records::RecordSource;
use self::survey::{Survey, survey};
use crate::bad_parts::dispose;
use crate::error::Error;
use crate::source::open_stream;

/// The directory of the parts.
static JOB: JobKind = JobKind {
    name: "embedding",
    results: &[],
    result_directories: &[],
    stages: &[Stage::Nucleotide.name(), Stage::Protein.name()],
    state: &[replacement::MARK],
    temporaries: &[],
    stranger: |path, has_lock| {
        // Killed before it had its lock; or finished, with quarantined parts that are left.
        let is_ours = has_lock || path.join("checkpoints").is_dir();
        (!is_ours).then_some("files that vnp embed did not write")
    },
};

/// What a finished run that embedded records found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EmbedSummary {
    /// Rows of the output: the records of the input.
    pub rows: u64,
    /// Those that could not be embedded; their vectors are zeros.
    pub failed: Failures,
    /// Rows that this session computed; the others were there already.
    pub rows_computed_now: u64,
    /// The output was there already and is intact: nothing was done.
    pub already_finished: bool,
}

/// Checks the output's name, whether it is taken, and that the input exists: what a caller does before it
/// reads weights of gigabytes. [`embed`] checks the output too.
///
/// # Errors
/// [`Error::OutputFormat`], [`Error::OutputFileExists`], [`Error::OutputNotOurs`], [`Error::Io`].
pub fn check(input: &Input, options: &EmbedOptions) -> Result<(), Error> {
    Output::new(options.output.clone())?.check(options.start)?;
    if let Input::File(path) = input {
        fs_err::metadata(path)?;
    }
    Ok(())
}

/// Embeds every record of the input, and publishes one checkpoint with a row for each, in their order.
///
/// A record that cannot be embedded is a failed row, whose vector is zeros; letters that are refused
/// ([`UnknownResidues::Refuse`]) end the run before anything is computed. `load` is called only if rows are
/// missing. Memory: the ids of all records, the rows between two saves, and the encoder; an output in
/// another format than the native one is written from a native file's mapped pages.
///
/// # Errors
/// Every [`Error`]; [`Error::Interrupted`] when a stop was requested, after the work was saved.
///
/// An output of an earlier session stays until the new one is complete and takes its name.
/// [`Start::Again`] removes the parts of an earlier session, but not before the input was read and the
/// encoder loaded, and leaves a mark in their directory: [`Start::Resume`] then goes on with the new parts
/// although the output is that of another run. Without the mark such an output is refused, and so is, in
/// any case, a file that is not recognisably of a run like this.
pub fn embed(
    input: Input,
    options: EmbedOptions,
    encoder: &EncoderInfo,
    load: Box<LoadEncoder<'_>>,
    observer: &dyn Fn(EmbedEvent<'_>),
    stop: &StopFlag,
) -> Result<EmbedSummary, Error> {
    let output = Output::new(options.output.clone())?;
    let replaces = output.check(options.start)? && options.start == Start::Again;
    let stage = match options.reading {
        RecordReading::Nucleotides => Stage::Nucleotide,
        RecordReading::Proteins(_) => Stage::Protein,
    };
    let stages = vec![stage.name()];
    refuse_link(&output.parts())?;
    let directory = JobDirectory::open(&output.parts(), &JOB, options.start, stages)?;
    let run = EmbedRun { options, stage, output: &output, replaces, encoder, observer, stop };
    let result = run.run(&directory, input, &mut LazyEncoder::new(load));
    let result = result.map_err(|error| error.or_vanished(&directory));
    match &result {
        Ok(_) => {
            // The output is complete: what is left of the parts is not worth a failure.
            if let Err(error) = directory.remove() {
                log::warn!("{error}: remove {} by hand", escaped_path(&output.parts()));
            }
        }
        Err(error) if error.interrupted().is_some() => {}
        Err(_) => directory.roll_back(),
    }
    result
}

/// One session.
struct EmbedRun<'a> {
    options: EmbedOptions,
    stage: Stage,
    output: &'a Output,
    /// Whether this session was asked to replace an output that is there.
    replaces: bool,
    encoder: &'a EncoderInfo,
    observer: &'a dyn Fn(EmbedEvent<'_>),
    stop: &'a StopFlag,
}

impl EmbedRun<'_> {
    fn run(
        self,
        directory: &JobDirectory,
        input: Input,
        encoder: &mut LazyEncoder<'_>,
    ) -> Result<EmbedSummary, Error> {
        self.output.remove_unpublished(directory)?;
        let input = SpooledInput::new(input, open_stream, directory.checkpoints(), self.stop)?;
        let reading = self.options.reading;
        let source = RecordSource { path: input.path(), name: input.name(), reading };
        let mut survey = survey(source, self.stop)?;
        let (records, failed) = (survey.rows, survey.failed.count);
        (self.observer)(EmbedEvent::Surveyed { records, failed });
        let identity = EmbedIdentity::new(&survey.input_digest, self.encoder, reading);
        match self.options.start {
            Start::New => {}
            Start::Resume => {
                if let Some(summary) = self.finished(directory, &identity, &survey)? {
                    return Ok(summary);
                }
            }
            Start::Again => {
                // Earlier work goes only when it is known that the new run can start.
                if records > 0 {
                    encoder.get(self.encoder, self.stage, self.observer)?;
                }
                directory.clear()?;
                if self.replaces {
                    replacement::allow(directory)?;
                }
            }
        }
        let mut computed = 0;
        loop {
            let attempt =
                self.attempt(directory, source, &identity, &mut survey, encoder, &mut computed);
            let error = match attempt {
                Err(error) => error,
                Ok(failed) => return Ok(summary(&survey, failed, computed, false)),
            };
            // A part that passed for good until it was used. Each turn quarantines one.
            let Some(bad) = error.bad_part() else { return Err(error) };
            // But an input that was changed explains a part that does not fit.
            survey.ids = self.confirm(source, &survey)?;
            dispose(directory, vec![bad], self.options.on_bad_part)?;
        }
    }

    /// The summary of an output that an earlier session finished; none if it is to be computed.
    fn finished(
        &self,
        directory: &JobDirectory,
        identity: &EmbedIdentity,
        survey: &Survey,
    ) -> Result<Option<EmbedSummary>, Error> {
        match self.output.existing(identity)? {
            Existing::Absent => Ok(None),
            Existing::Other(_) | Existing::Bad(_) if replacement::is_allowed(directory) => {
                let path = escaped_path(self.output.path());
                log::info!(
                    "{path} is of an earlier run: it stays until its replacement is complete"
                );
                Ok(None)
            }
            Existing::Finished(count) => {
                let failed = Failures { count, ..survey.failed.clone() };
                Ok(Some(summary(survey, failed, 0, true)))
            }
            Existing::Other(differences) => {
                let path = self.output.path().to_owned();
                Err(vnp_job::Error::OtherIdentity { path, differences }.into())
            }
            // Not recorded: the log of failures lies in a directory that is there for the parts alone.
            Existing::Bad(bad) if self.options.on_bad_part == OnBadFile::Refuse => {
                Err(vnp_job::Error::BadParts { files: vec![bad] }.into())
            }
            Existing::Bad(bad) => {
                dispose(directory, vec![bad], self.options.on_bad_part).map(|()| None)
            }
        }
    }

    /// Fails if the input is not what the survey saw; returns its ids.
    fn confirm(&self, source: RecordSource<'_>, survey: &Survey) -> Result<Vec<String>, Error> {
        let mut records = source.open()?;
        let mut ids = Vec::new();
        while let Some(record) = records.next()? {
            self.stop.check()?;
            ids.push(record.id);
        }
        if records.digest() == survey.input_digest {
            return Ok(ids);
        }
        Err(Error::InputChanged { found: format!("its digest is now {}", records.digest()) })
    }

    /// Computes what is missing and publishes; returns the failed rows.
    fn attempt(
        &self,
        directory: &JobDirectory,
        source: RecordSource<'_>,
        identity: &EmbedIdentity,
        survey: &mut Survey,
        encoder: &mut LazyEncoder<'_>,
        computed: &mut u64,
    ) -> Result<Failures, Error> {
        let mut inventory = self.take_inventory(directory, identity, survey)?;
        let everything = RowRange::new(0, survey.rows);
        let missing = inventory.missing(self.stage, everything);
        let windows = windows(&missing, self.options.checkpoint_rows.get());
        if !windows.is_empty() {
            let (loaded, device) = encoder.get(self.encoder, self.stage, self.observer)?;
            self.stop.check()?;
            let provenance = Provenance {
                identity: identity.clone(),
                device: device.to_owned(),
                keep_embeddings: false,
            };
            let (interval, observer) = (self.options.checkpoint_interval, self.observer);
            let before = inventory.covered(self.stage).rows();
            let done = Computation::new(
                directory, self.stage, loaded, provenance, interval, observer, self.stop,
            )
            .run(source.open()?, &windows, &mut inventory);
            *computed += inventory.covered(self.stage).rows() - before;
            done?;
        }
        (self.observer)(EmbedEvent::Publishing);
        let publication = Publication {
            output: self.output,
            directory,
            encoder: self.encoder,
            identity,
            ids: std::mem::take(&mut survey.ids),
            input_digest: &survey.input_digest,
            stop: self.stop,
        };
        publication.write(self.stage, &inventory, source.open()?)
    }

    /// The parts that may be trusted.
    fn take_inventory(
        &self,
        directory: &JobDirectory,
        identity: &EmbedIdentity,
        survey: &Survey,
    ) -> Result<Inventory, Error> {
        let expected = Expectation {
            identity,
            total_rows: BTreeMap::from([(Track::Frames, survey.rows)]),
            nucleotide_hidden: self.encoder.hidden_size,
            protein_hidden: self.encoder.hidden_size,
        };
        let Inspection { inventory, bad, differences } =
            inspect(directory, &[Track::Frames], &expected, Trust::Full)?;
        if !differences.is_empty() {
            let path = directory.path().to_owned();
            return Err(vnp_job::Error::OtherIdentity { path, differences }.into());
        }
        let present = inventory.covered(self.stage).rows();
        let (rows, bad_parts) = (survey.rows, bad.len() as u64);
        (self.observer)(EmbedEvent::Planned { rows, present, bad_parts });
        dispose(directory, bad, self.options.on_bad_part)?;
        Ok(inventory)
    }
}

fn summary(
    survey: &Survey,
    failed: Failures,
    rows_computed_now: u64,
    already_finished: bool,
) -> EmbedSummary {
    EmbedSummary { rows: survey.rows, failed, rows_computed_now, already_finished }
}
