mod models;
mod old;
mod record;
mod to_do;

use std::collections::BTreeMap;
use std::time::Instant;

use vnp_seq::{FrameRow, OrflessChunk};

use crate::directory::{OutputDirectory, names, remove_if_there};
use crate::error::Error;
use crate::estimate::Sizes;
use crate::forecast::Forecast;
use crate::identity::Identity;
use crate::manifest::{Counts, Manifest};
use crate::observer::{Event, Observer};
use crate::options::{ModelInfo, OnBadPart, RunOptions, Start};
use crate::publish::{Published, publish};
use crate::resume::{Expectation, Inspection, Inventory, inspect, log_bad, set_aside};
use crate::source::Source;
use crate::spool::Spool;
use crate::stage::Stage;
use crate::stop::StopFlag;
use crate::survey::{Survey, confirm, survey};
use crate::track::Track;
use crate::worker::{Flow, Session, Team, Work};
use models::LazyModels;
pub use models::LoadModel;
use to_do::ToDo;

/// How a session ended without an error.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Every row is scored and the results are published.
    Finished(Summary),
    /// A signal asked for an end; what was computed is saved.
    Interrupted {
        /// Number of the signal.
        signal: usize,
    },
}

/// What a finished run found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Summary {
    /// Totals.
    pub counts: Counts,
    /// Rows that this session scored; the others were there already.
    pub rows_scored_now: u64,
    /// Chunks without an open frame that this session scored.
    pub closed_chunks_scored_now: u64,
    /// The results were there already and are what they were when published: nothing was done.
    pub already_finished: bool,
}

/// Takes every frame of the inputs through both encoders and the head, and publishes the results.
///
/// With [`RunOptions::score_all`] the chunks without an open frame are scored too. That adds to the
/// results and changes nothing of the frames: a run can be resumed with or without it, and what was
/// computed of either [`Track`] stays.
///
/// Work is saved as it is done, below `output_dir/checkpoints`; see `docs/ARCHITECTURE.md` for
/// what a crash can and cannot cost. `load_model` is called only if rows are missing; each model that
/// it gives computes windows of rows of its own, on a thread of its own, with the rayon pool of the
/// process.
///
/// # Errors
/// Every [`Error`]. Results of an earlier session are untouched until the new ones are complete,
/// and parts that are durable stay so; [`Start::Again`] removes both, but not before the input was
/// read and the model loaded.
pub fn predict(
    options: RunOptions,
    model: &ModelInfo,
    load_model: Box<LoadModel<'_>>,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<Outcome, Error> {
    if options.score_all && model.fallback.is_none() {
        return Err(Error::NoFallback { model: model.name.clone() });
    }
    let tracks = Track::of_run(options.score_all);
    let directory = OutputDirectory::open(&options.output_dir, options.start, tracks)?;
    let mut run = Run {
        options,
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
    if result.is_err() {
        directory.abandon();
    }
    result
}

struct Run<'a> {
    options: RunOptions,
    tracks: &'static [Track],
    model: &'a ModelInfo,
    observer: &'a dyn Observer,
    stop: &'a StopFlag,
    started: jiff::Timestamp,
    began: Instant,
    /// Seconds spent outside of the stages.
    seconds: BTreeMap<String, f64>,
    work: Work,
}

impl Run<'_> {
    fn predict(
        &mut self,
        directory: &OutputDirectory,
        load_model: Box<LoadModel<'_>>,
    ) -> Result<Outcome, Error> {
        let inputs = std::mem::take(&mut self.options.inputs);
        let Some(inputs) = Spool::of(inputs, directory.checkpoints(), self.stop)? else {
            return Ok(self.interrupted());
        };
        let source = Source { inputs: inputs.paths(), chunk_length: self.options.chunk_length };
        let began = Instant::now();
        let surveyed = survey(source, self.tracks, self.observer, self.stop)?;
        let Some((survey, sizes)) = surveyed else { return Ok(self.interrupted()) };
        self.seconds.insert("survey".to_owned(), began.elapsed().as_secs_f64());

        let mut models = LazyModels::new(load_model);
        if self.options.start == Start::Again {
            // Earlier work goes only when it is known that the new run can start.
            if self.tracks.iter().any(|&track| survey.rows_of(track) > 0) {
                models.get(self.observer)?;
            }
            directory.clear()?;
        }
        loop {
            let error = match self.attempt(directory, source, &survey, &sizes, &mut models) {
                Err(error) => error,
                outcome => return outcome,
            };
            // A part that passed for good until it was used. Each turn sets one aside.
            let Some(bad) = error.bad_part() else { return Err(error) };
            // But an input that was changed explains a part that does not fit.
            confirm(&mut source.open(&[])?, &survey)?;
            if self.options.on_bad_part == OnBadPart::Refuse {
                log_bad(directory, std::slice::from_ref(&bad));
                return Err(Error::BadParts { parts: vec![bad] });
            }
            set_aside(directory, &[bad])?;
        }
    }

    /// Computes what is missing and publishes.
    fn attempt(
        &mut self,
        directory: &OutputDirectory,
        source: Source<'_>,
        survey: &Survey,
        sizes: &Sizes,
        models: &mut LazyModels<'_>,
    ) -> Result<Outcome, Error> {
        let identity = self.identity(survey);
        let earlier = Manifest::read(&directory.result(names::RUN));
        let mut inventory = self.take_inventory(directory, &identity, survey, earlier.as_ref())?;
        let keep_embeddings = self.options.keep_embeddings || inventory.keeps_embeddings();
        let taken =
            self.take_old_features(directory, source, survey, &identity, &mut inventory, models)?;
        if taken == Flow::Stopped {
            return Ok(self.interrupted());
        }
        let to_do = self.to_do(&inventory, survey);
        let finished = self.already_finished(directory, &identity, earlier.as_ref(), &to_do);
        if let Some(summary) = finished {
            if !keep_embeddings {
                inventory.delete_scored_embeddings()?;
            }
            return Ok(Outcome::Finished(summary));
        }
        if !to_do.is_empty() {
            let models = models.get(self.observer)?;
            let estimate = sizes.estimate(models, &|stage| to_do.lacking(&inventory, stage));
            self.observer.event(Event::Estimated(&estimate));
            let team = Team {
                models,
                identity: &identity,
                checkpoint_interval: self.options.checkpoint_interval,
                score_batch_rows: self.options.score_batch_rows.get(),
                stop: self.stop,
            };
            let mut session = Session {
                directory,
                inventory: &mut inventory,
                keep_embeddings,
                observer: self.observer,
                forecast: Forecast::new(estimate),
                work: Work::default(),
            };
            let flow = compute(&team, &mut session, source, &to_do);
            self.work.add(&session.work);
            if flow? == Flow::Stopped {
                return Ok(self.interrupted());
            }
        }
        if !keep_embeddings {
            // Those of a session that was killed between saving scores and deleting them.
            inventory.delete_scored_embeddings()?;
        }
        self.observer.event(Event::Publishing);
        let began = Instant::now();
        let (keep_frames, stop) = (self.options.keep_frames, self.stop);
        let published =
            publish(directory, &inventory, source, survey, self.tracks, keep_frames, stop)?;
        let Some(published) = published else { return Ok(self.interrupted()) };
        withdraw_chunks(directory, earlier.as_ref(), &published)?;
        self.seconds.insert("publish".to_owned(), began.elapsed().as_secs_f64());
        let counts = published.counts.clone();
        self.manifest(identity, &inventory, models, published)
            .publish(&directory.result(names::RUN))?;
        Ok(Outcome::Finished(Summary {
            counts,
            rows_scored_now: self.work.rows(Stage::Scores),
            closed_chunks_scored_now: self.work.rows(Stage::DnaOnly),
            already_finished: false,
        }))
    }

    fn identity(&self, survey: &Survey) -> Identity {
        Identity {
            input: survey.input_digest.clone(),
            chunk_length: u32::try_from(self.options.chunk_length.get()).unwrap_or(u32::MAX),
            dnabert: self.model.dnabert.clone(),
            esm2: self.model.esm2.clone(),
            head: self.model.head.clone(),
            fallback: self.model.fallback.clone().filter(|_| self.options.score_all),
            precision: self.model.precision.clone(),
        }
    }

    /// The parts that may be trusted; bad ones end the run or are set aside, as the options say.
    fn take_inventory(
        &self,
        directory: &OutputDirectory,
        identity: &Identity,
        survey: &Survey,
        earlier: Option<&Manifest>,
    ) -> Result<Inventory, Error> {
        let expected = Expectation {
            identity,
            survey,
            nucleotide_hidden: self.model.nucleotide_hidden,
            protein_hidden: self.model.protein_hidden,
        };
        let Inspection { inventory, bad, mut differences } =
            inspect(directory, self.tracks, expected, self.options.trust)?;
        // A run without a single row has no parts: its manifest still says what it was.
        let published = earlier.map(|earlier| identity.differences(&earlier.identity));
        for difference in published.unwrap_or_default() {
            if !differences.contains(&difference) {
                differences.push(difference);
            }
        }
        let path = directory.path().to_owned();
        if !differences.is_empty() {
            return Err(Error::OtherIdentity { path, differences });
        }
        self.observer.event(Event::Planned(&self.summary(&inventory, survey, bad.len())));
        if !bad.is_empty() && self.options.on_bad_part == OnBadPart::Refuse {
            log_bad(directory, &bad);
            return Err(Error::BadParts { parts: bad });
        }
        set_aside(directory, &bad)?;
        Ok(inventory)
    }

    /// Whether an earlier session published everything, and it still is as it was.
    fn already_finished(
        &self,
        directory: &OutputDirectory,
        identity: &Identity,
        earlier: Option<&Manifest>,
        to_do: &ToDo,
    ) -> Option<Summary> {
        let earlier = earlier.filter(|_| to_do.is_empty())?;
        let frames = earlier.results.contains_key(names::NUCLEOTIDE_FASTA);
        let as_asked = (frames || !self.options.keep_frames) && earlier.identity == *identity;
        (as_asked && earlier.results_are_intact(directory.path())).then(|| Summary {
            counts: earlier.counts.clone(),
            rows_scored_now: 0,
            closed_chunks_scored_now: 0,
            already_finished: true,
        })
    }

    fn interrupted(&self) -> Outcome {
        Outcome::Interrupted { signal: self.stop.requested().unwrap_or_default() }
    }
}

/// Computes the missing rows, one track after the other.
fn compute(
    team: &Team<'_>,
    session: &mut Session<'_>,
    source: Source<'_>,
    to_do: &ToDo,
) -> Result<Flow, Error> {
    for (track, windows) in to_do.tracks() {
        let reader = source.open(&[track])?;
        let flow = match track {
            Track::Frames => team.compute::<FrameRow>(session, windows, reader)?,
            Track::ClosedChunks => team.compute::<OrflessChunk>(session, windows, reader)?,
        };
        if flow == Flow::Stopped {
            return Ok(Flow::Stopped);
        }
    }
    Ok(Flow::Done)
}

/// Removes the table of an earlier session that scored all chunks, if this one did not: `run.json`
/// would not vouch for it.
fn withdraw_chunks(
    directory: &OutputDirectory,
    earlier: Option<&Manifest>,
    published: &Published,
) -> Result<(), Error> {
    let has = |results: &BTreeMap<_, _>| results.contains_key(names::CHUNKS);
    if earlier.is_some_and(|earlier| has(&earlier.results)) && !has(&published.results) {
        log::warn!(
            "without --score-all there is no {}: it is removed; its parts are kept, give the flag \
             to have it again",
            names::CHUNKS
        );
        remove_if_there(&directory.result(names::CHUNKS))?;
    }
    Ok(())
}
