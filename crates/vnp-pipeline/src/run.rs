//! A run from its inputs to its results: what happens in which order.

mod context;
mod import;
mod models;
mod record;
mod summary;
mod to_do;

use std::collections::BTreeMap;
use std::time::Instant;

use vnp_job::parts::{
    Counts, Expectation, Identity, Inspection, Inventory, Manifest, Stage, Track, inspect,
};
use vnp_job::{Input, JobDirectory, Spool, Start, StopFlag, remove_file_if_there};
use vnp_seq::{FrameRow, OrflessChunk};

use crate::bad_parts::dispose;
use crate::duplicates::finder::DuplicateFinder;
use crate::error::Error;
use crate::event::Event;
use crate::names;
use crate::options::{EncoderDigests, Goal, ModelInfo, RunOptions};
use crate::publish::{Published, Tables, announced, confirm_embeddings, publish, withdraw};
use crate::reading::{FirstReading, confirm, survey};
use crate::results::RecordNames;
use crate::source::{Source, open_stream};
use crate::survey::Survey;
use crate::worker::{Session, Settings, Work, WorkerPool};
use context::Run;
use models::LazyModels;
pub use models::LoadModel;
use to_do::ToDo;

/// What a finished run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Totals.
    pub counts: Counts,
    /// Rows that this session scored; the others were there already.
    pub rows_scored_now: u64,
    /// Chunks without an ORF that this session scored.
    pub orfless_chunks_scored_now: u64,
    /// The results were there already and are what they were when published: nothing was done.
    pub already_finished: bool,
}

/// Takes every frame of the inputs through both encoders and the head, and publishes the results.
///
/// With [`RunOptions::score_all`] the chunks without an ORF are scored too. That adds to the
/// results and changes nothing of the frames: a run can be resumed with or without it, and what was
/// computed of either [`Track`] stays.
///
/// Work is saved as it is done, below `output_dir/checkpoints`; see `docs/ARCHITECTURE.md` for
/// what a crash can and cannot cost. `load_model` is called only if rows are missing; each model that
/// it gives computes windows of rows of its own, on a thread of its own, with the rayon pool of the
/// process.
///
/// # Errors
/// Every [`Error`]; [`Error::Interrupted`] when a stop was requested. Results of an earlier session
/// are untouched until the new ones are complete, and parts that are durable stay so;
/// [`Start::Again`] removes both, but not before the input was read and the model loaded.
pub fn predict(
    options: RunOptions,
    model: &ModelInfo,
    load_model: Box<LoadModel<'_>>,
    observer: &dyn Fn(Event<'_>),
    stop: &StopFlag,
) -> Result<Summary, Error> {
    if options.score_all && model.fallback.is_none() {
        return Err(Error::NoFallback { model: model.name.clone() });
    }
    let scores = options.goal == Goal::Scores;
    let tracks = Track::of_run(options.score_all && scores);
    let stages = Stage::of_tracks(tracks);
    let stages = stages.filter(|stage| scores || *stage != Stage::Scores);
    let stages = stages.map(Stage::name).collect();
    let directory = JobDirectory::open(&options.output_dir, &names::JOB, options.start, stages)?;
    let mut run = Run {
        options,
        inputs: Vec::new(),
        tracks,
        model,
        observer,
        stop,
        started: jiff::Timestamp::now(),
        began: Instant::now(),
        seconds: BTreeMap::new(),
        work: Work::default(),
    };
    let result = run.predict(&directory, load_model);
    let result = result.map_err(|error| error.or_vanished(&directory));
    if let Err(error) = &result
        && error.interrupted().is_none()
    {
        directory.roll_back();
    }
    result
}

impl Run<'_> {
    fn predict(
        &mut self,
        directory: &JobDirectory,
        load_model: Box<LoadModel<'_>>,
    ) -> Result<Summary, Error> {
        let inputs = std::mem::take(&mut self.options.inputs);
        self.inputs = inputs.iter().map(Input::name).collect();
        let inputs = Spool::new(inputs, open_stream, directory.checkpoints(), self.stop)?;
        let source = Source {
            inputs: inputs.paths(),
            names: inputs.names(),
            chunk_length: self.options.chunk_length,
            strict: self.options.strict_input,
            scratch: directory.checkpoints(),
        };
        let began = Instant::now();
        let finder = DuplicateFinder::new(
            directory.checkpoints(),
            inputs.names(),
            self.options.duplicate_ids,
        );
        let first = survey(source, self.tracks, finder, self.observer, self.stop)?;
        self.seconds.insert("survey".to_owned(), began.elapsed().as_secs_f64());

        let mut models = LazyModels::new(self.model, load_model);
        if self.options.start == Start::Again {
            // Earlier work goes only when it is known that the new run can start.
            if self.tracks.iter().any(|&track| first.survey.rows_of(track) > 0) {
                models.get(self.observer)?;
            }
            directory.clear()?;
        }
        loop {
            let error = match self.attempt(directory, source, &first, &mut models) {
                Err(error) => error,
                outcome => return outcome,
            };
            // A part that passed for good until it was used. Each turn quarantines one.
            let Some(bad) = error.bad_part() else { return Err(error) };
            // But an input that was changed explains a part that does not fit.
            confirm(&mut source.open(&[])?, &first.survey)?;
            dispose(directory, vec![bad], self.options.on_bad_part)?;
        }
    }

    /// Computes what is missing and publishes.
    fn attempt(
        &mut self,
        directory: &JobDirectory,
        source: Source<'_>,
        first: &FirstReading,
        models: &mut LazyModels<'_>,
    ) -> Result<Summary, Error> {
        let survey = &first.survey;
        let identity = self.identity(survey);
        let earlier = Manifest::read(&directory.result(names::RUN));
        let mut inventory = self.take_inventory(directory, &identity, survey, earlier.as_ref())?;
        let keep_embeddings = self.keeps_embeddings() || inventory.keeps_embeddings();
        self.import_features(directory, source, survey, &identity, &mut inventory, models)?;
        let to_do = self.to_do(&inventory, survey);
        let finished = earlier
            .as_ref()
            .filter(|_| to_do.is_empty())
            .and_then(|earlier| self.already_finished(directory, &identity, earlier, survey));
        // A session that was killed while it gave tables their names left some that no record has.
        if let Some(summary) = finished
            && (self.options.goal == Goal::Embeddings || announced(directory)?.is_empty())
        {
            if !keep_embeddings {
                inventory.delete_scored_embeddings()?;
            }
            return Ok(summary);
        }
        if !to_do.is_empty() {
            let models = models.get(self.observer)?;
            let estimate = first.sizes.estimate(models, &|stage| to_do.missing(&inventory, stage));
            (self.observer)(Event::Estimated(&estimate));
            let pool = WorkerPool {
                models,
                identity: &identity,
                checkpoint_interval: self.options.checkpoint_interval,
                settings: Settings {
                    goal: self.options.goal,
                    score_batch_rows: self.options.score_batch_rows.get(),
                },
                stop: self.stop,
            };
            let mut session = Session {
                directory,
                inventory: &mut inventory,
                keep_embeddings,
                observer: self.observer,
                estimate,
                began: Instant::now(),
                work: Work::default(),
            };
            let computed = compute(&pool, &mut session, source, &to_do);
            self.work.add(&session.work);
            computed?;
        }
        if !keep_embeddings {
            // Those of a session that was killed between saving scores and deleting them.
            inventory.delete_scored_embeddings()?;
        }
        let began = Instant::now();
        let mut published = self.publish(directory, &inventory, source, first, earlier.as_ref())?;
        remove_unwanted(directory, earlier.as_ref(), &published)?;
        self.seconds.insert("publish".to_owned(), began.elapsed().as_secs_f64());
        let counts = published.counts.clone();
        let totals = published.totals.take();
        let has_tables = totals.is_some();
        let manifest = self.manifest(identity, &inventory, models, survey, published);
        if let Some(totals) = totals {
            self.publish_summary(directory, &manifest, &totals)?;
        }
        manifest.publish(&directory.result(names::RUN))?;
        if has_tables {
            withdraw(directory)?;
        }
        Ok(Summary {
            counts,
            rows_scored_now: self.work.rows(Stage::Scores),
            orfless_chunks_scored_now: self.work.rows(Stage::NucleotideOnly),
            already_finished: false,
        })
    }

    /// Publishes what the goal asks for.
    fn publish(
        &self,
        directory: &JobDirectory,
        inventory: &Inventory,
        source: Source<'_>,
        first: &FirstReading,
        earlier: Option<&Manifest>,
    ) -> Result<Published, Error> {
        let survey = &first.survey;
        match self.options.goal {
            Goal::Scores => {
                (self.observer)(Event::Publishing);
                let tables = Tables {
                    tracks: self.tracks,
                    publishing: &self.options.publishing,
                    names: RecordNames::new(first.suffixes.read()?, &self.inputs),
                };
                publish(directory, inventory, source, survey, tables, self.stop)
            }
            Goal::Embeddings => {
                let counted = confirm_embeddings(inventory, source, survey, self.stop)?;
                // The tables of an earlier session are as good as they were.
                let identity = self.identity(survey);
                let vouches = |earlier: &&Manifest| {
                    !earlier.results.is_empty()
                        && earlier.identity == identity
                        && earlier.results_are_intact(directory.path())
                };
                Ok(match earlier.filter(vouches).cloned() {
                    None => counted,
                    Some(Manifest { counts, results, publishing, .. }) => {
                        Published { counts, results, publishing, ..counted }
                    }
                })
            }
        }
    }

    fn identity(&self, survey: &Survey) -> Identity {
        let encoders = self.model.encoders.as_ref();
        let digest = |of: fn(&EncoderDigests) -> &String| {
            encoders.map_or(names::NO_ENCODER, |encoders| of(encoders)).to_owned()
        };
        Identity {
            input: survey.input_digest.clone(),
            chunk_length: u32::try_from(self.options.chunk_length.get()).unwrap_or(u32::MAX),
            dnabert: digest(|encoders| &encoders.dnabert),
            esm2: digest(|encoders| &encoders.esm2),
            head: self.model.head.clone(),
            fallback: self.model.fallback.clone().filter(|_| self.options.score_all),
            precision: self.model.precision.clone(),
        }
    }

    /// The parts that may be trusted; bad ones end the run or are quarantined, as the options say.
    fn take_inventory(
        &self,
        directory: &JobDirectory,
        identity: &Identity,
        survey: &Survey,
        earlier: Option<&Manifest>,
    ) -> Result<Inventory, Error> {
        let expected = Expectation {
            identity,
            total_rows: survey.total_rows(),
            nucleotide_hidden: self.model.nucleotide_hidden,
            protein_hidden: self.model.protein_hidden,
        };
        let Inspection { inventory, bad, mut differences } =
            inspect(directory, self.tracks, &expected, self.options.trust)?;
        // A run without a single row has no parts: its manifest still says what it was.
        let published = earlier.map(|earlier| identity.differences(&earlier.identity));
        for difference in published.unwrap_or_default() {
            if !differences.contains(&difference) {
                differences.push(difference);
            }
        }
        let path = directory.path().to_owned();
        if !differences.is_empty() {
            return Err(vnp_job::Error::OtherIdentity { path, differences }.into());
        }
        (self.observer)(Event::Planned(&self.summary(&inventory, survey, bad.len())));
        dispose(directory, bad, self.options.on_bad_part)?;
        Ok(inventory)
    }

    /// Whether an earlier session published everything, and it still is as it was.
    fn already_finished(
        &self,
        directory: &JobDirectory,
        identity: &Identity,
        earlier: &Manifest,
        survey: &Survey,
    ) -> Option<Summary> {
        let has_tables = earlier.publishing == self.options.publishing.record(survey.chunks)
            && directory.result(names::SUMMARY).exists()
            && earlier.input_maybe_truncated == survey.maybe_truncated
            && earlier.counts.records_with_duplicate_id == survey.duplicate_ids
            && earlier.inputs == self.input_column()
            && earlier.numbered_ids == self.numbers_ids(survey);
        let as_asked =
            (has_tables || self.options.goal == Goal::Embeddings) && earlier.identity == *identity;
        (as_asked && earlier.results_are_intact(directory.path())).then(|| Summary {
            counts: earlier.counts.clone(),
            rows_scored_now: 0,
            orfless_chunks_scored_now: 0,
            already_finished: true,
        })
    }
}

/// Computes the missing rows, one track after the other.
fn compute(
    pool: &WorkerPool<'_>,
    session: &mut Session<'_>,
    source: Source<'_>,
    to_do: &ToDo,
) -> Result<(), Error> {
    for (track, windows) in to_do.tracks() {
        let reader = source.open(&[track])?;
        match track {
            Track::Frames => pool.compute::<FrameRow>(session, windows, reader)?,
            Track::OrflessChunks => pool.compute::<OrflessChunk>(session, windows, reader)?,
        }
    }
    Ok(())
}

/// Removes the tables of an earlier session that this one was not asked for, or wrote in the other form:
/// `run.json` would not vouch for them.
fn remove_unwanted(
    directory: &JobDirectory,
    earlier: Option<&Manifest>,
    published: &Published,
) -> Result<(), Error> {
    let announced = match published.totals {
        Some(_) => announced(directory)?,
        None => Vec::new(),
    };
    let is_ours = |name: &str| {
        earlier.is_some_and(|earlier| earlier.results.contains_key(name))
            || announced.iter().any(|announced| announced == name)
    };
    // What a record names besides is not ours to remove.
    for name in names::published() {
        let path = directory.result(name);
        if is_ours(name) && !published.results.contains_key(name) && path.exists() {
            log::warn!(
                "{name} is removed: an earlier session wrote it, and this one was asked for other tables; \
                 with that session's options --resume writes it again without computing anything"
            );
            remove_file_if_there(&path)?;
        }
    }
    Ok(())
}
