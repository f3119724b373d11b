mod models;
mod old;
mod record;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Instant;

use vnp_ckpt::RowRange;
use vnp_seq::FrameReader;

use crate::directory::{OutputDirectory, names};
use crate::error::Error;
use crate::estimate::Frames;
use crate::forecast::Forecast;
use crate::identity::Identity;
use crate::manifest::{Counts, Manifest};
use crate::observer::{Event, Observer};
use crate::options::{ModelInfo, OnBadPart, RunOptions, Start};
use crate::plan::{RowSet, windows};
use crate::publish::publish;
use crate::resume::{
    Expectation, Inspection, Inventory, ResumeSummary, inspect, log_bad, set_aside,
};
use crate::spool::Spool;
use crate::stage::Stage;
use crate::stop::StopFlag;
use crate::survey::{Survey, confirm, survey};
use crate::worker::{Flow, Session, Team, Work};
use models::LazyModels;
pub use models::LoadModel;

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
    /// The results were there already and are what they were when published: nothing was done.
    pub already_finished: bool,
}

/// Takes every frame of the inputs through both encoders and the head, and publishes the results.
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
    let directory = OutputDirectory::open(&options.output_dir, options.start)?;
    let mut run = Run {
        options,
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
        let inputs = inputs.paths();
        let began = Instant::now();
        let chunk_length = self.options.chunk_length;
        let surveyed = survey(inputs, chunk_length, self.observer, self.stop)?;
        let Some((survey, frames)) = surveyed else { return Ok(self.interrupted()) };
        self.seconds.insert("survey".to_owned(), began.elapsed().as_secs_f64());

        let mut models = LazyModels::new(load_model);
        if self.options.start == Start::Again {
            // Earlier work goes only when it is known that the new run can start.
            if survey.rows > 0 {
                models.get(self.observer)?;
            }
            directory.clear()?;
        }
        loop {
            let error = match self.attempt(directory, inputs, &survey, &frames, &mut models) {
                Err(error) => error,
                outcome => return outcome,
            };
            // A part that passed for good until it was used. Each turn sets one aside.
            let Some(bad) = error.bad_part() else { return Err(error) };
            // But an input that was changed explains a part that does not fit.
            confirm(&mut FrameReader::open(inputs, chunk_length)?, &survey)?;
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
        inputs: &[PathBuf],
        survey: &Survey,
        frames: &Frames,
        models: &mut LazyModels<'_>,
    ) -> Result<Outcome, Error> {
        let chunk_length = self.options.chunk_length;
        let identity = self.identity(survey);
        let earlier = Manifest::read(&directory.result(names::RUN));
        let mut inventory = self.take_inventory(directory, &identity, survey, earlier.as_ref())?;
        let keep_embeddings = self.options.keep_embeddings || inventory.keeps_embeddings();
        let taken =
            self.take_old_features(directory, inputs, survey, &identity, &mut inventory, models)?;
        if taken == Flow::Stopped {
            return Ok(self.interrupted());
        }
        let to_do = self.missing(&inventory, survey.rows);
        if let Some(summary) = self.already_finished(directory, earlier, &to_do) {
            if !keep_embeddings {
                inventory.delete_scored_embeddings()?;
            }
            return Ok(Outcome::Finished(summary));
        }
        if !to_do.is_empty() {
            let models = models.get(self.observer)?;
            let estimate = frames.estimate(models, &|stage| lacking(&inventory, stage, &to_do));
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
            let reader = FrameReader::open(inputs, chunk_length)?;
            let flow = team.compute(&mut session, &to_do, reader);
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
            publish(directory, &inventory, inputs, chunk_length, survey, keep_frames, stop)?;
        let Some(published) = published else { return Ok(self.interrupted()) };
        self.seconds.insert("publish".to_owned(), began.elapsed().as_secs_f64());
        let counts = published.counts.clone();
        self.manifest(identity, &inventory, models, published)
            .publish(&directory.result(names::RUN))?;
        let rows_scored_now = self.work.rows(Stage::Scores);
        Ok(Outcome::Finished(Summary { counts, rows_scored_now, already_finished: false }))
    }

    fn identity(&self, survey: &Survey) -> Identity {
        Identity {
            input: survey.input_digest.clone(),
            chunk_length: u32::try_from(self.options.chunk_length.get()).unwrap_or(u32::MAX),
            dnabert: self.model.dnabert.clone(),
            esm2: self.model.esm2.clone(),
            head: self.model.head.clone(),
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
            rows: survey.rows,
            nucleotide_hidden: self.model.nucleotide_hidden,
            protein_hidden: self.model.protein_hidden,
        };
        let Inspection { inventory, bad, mut differences } =
            inspect(directory, expected, self.options.trust)?;
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

    fn summary(&self, inventory: &Inventory, survey: &Survey, bad_parts: usize) -> ResumeSummary {
        let missing = self.missing(inventory, survey.rows);
        let to_compute = |stage| lacking(inventory, stage, &missing).rows();
        ResumeSummary {
            rows: survey.rows,
            rows_scored: inventory.covered(Stage::Scores).rows(),
            parts: inventory.len() as u64,
            score_parts: inventory.parts(Stage::Scores).len() as u64,
            missing_parts: (missing.len() as u64).saturating_sub(bad_parts as u64),
            bad_parts: bad_parts as u64,
            nucleotide_rows: to_compute(Stage::Nucleotide),
            protein_rows: to_compute(Stage::Protein),
        }
    }

    /// The windows in which a stage lacks rows. Embeddings count only if they are to be kept.
    fn missing(&self, inventory: &Inventory, rows: u64) -> Vec<RowRange> {
        let everything = RowRange { start: 0, end: rows };
        let stages =
            if self.options.keep_embeddings { &Stage::ALL[..] } else { &[Stage::Scores][..] };
        let mut missing = RowSet::default();
        for stage in stages {
            for range in inventory.covered(*stage).missing_in(everything) {
                missing.insert(range);
            }
        }
        windows(missing.ranges(), self.options.checkpoint_rows.get())
    }

    /// Whether an earlier session published everything, and it still is as it was.
    fn already_finished(
        &self,
        directory: &OutputDirectory,
        earlier: Option<Manifest>,
        to_do: &[RowRange],
    ) -> Option<Summary> {
        let earlier = earlier.filter(|_| to_do.is_empty())?;
        let frames = earlier.results.contains_key(names::NUCLEOTIDE_FASTA);
        let complete = frames || !self.options.keep_frames;
        (complete && earlier.results_are_intact(directory.path())).then_some(Summary {
            counts: earlier.counts,
            rows_scored_now: 0,
            already_finished: true,
        })
    }

    fn interrupted(&self) -> Outcome {
        Outcome::Interrupted { signal: self.stop.requested().unwrap_or_default() }
    }
}

/// The rows of some windows that a stage lacks.
fn lacking(inventory: &Inventory, stage: Stage, windows: &[RowRange]) -> RowSet {
    let covered = inventory.covered(stage);
    let mut lacking = RowSet::default();
    for range in windows.iter().flat_map(|&window| covered.missing_in(window)) {
        lacking.insert(range);
    }
    lacking
}
