//! The session of a run: its parts, its events, its work. One thread has it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;
use vnp_job::JobDirectory;
use vnp_job::parts::{Inventory, Part, Provenance, Rows, Stage};

use crate::error::Error;
use crate::event::Event;
use crate::forecast::Forecast;

/// Where a session's work goes and is reported. It stays on the thread that the run was called on;
/// the workers reach it through their handles.
pub(crate) struct Session<'a> {
    pub(crate) directory: &'a JobDirectory,
    pub(crate) inventory: &'a mut Inventory,
    pub(crate) keep_embeddings: bool,
    pub(crate) observer: &'a dyn Fn(Event<'_>),
    pub(crate) forecast: Forecast,
    pub(crate) work: Work,
}

/// The rows that were computed, and the time that it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    stages: BTreeMap<Stage, Done>,
    first_embeddings: Option<Instant>,
}

/// The work in one stage.
#[derive(Clone, Copy, Debug, Default)]
struct Done {
    rows: u64,
    tokens: f64,
    time: Duration,
}

impl Work {
    pub(crate) fn rows(&self, stage: Stage) -> u64 {
        self.of(stage).rows
    }

    /// Estimated tokens per second of one worker at work; none where they are not known.
    pub(crate) fn tokens_per_second(&self, stage: Stage) -> Option<f64> {
        let Done { tokens, time, .. } = self.of(stage);
        (tokens > 0.0 && !time.is_zero()).then(|| tokens / time.as_secs_f64())
    }

    /// Over all workers: several that work for a second work for several seconds.
    pub(crate) fn time(&self, stage: Stage) -> Duration {
        self.of(stage).time
    }

    /// When the first embeddings were computed.
    pub(crate) fn first_embeddings(&self) -> Option<Instant> {
        self.first_embeddings
    }

    /// Adds the work of another session.
    pub(crate) fn add(&mut self, other: &Self) {
        for (stage, done) in &other.stages {
            self.count(*stage, *done);
        }
        self.first_embeddings = self.first_embeddings.or(other.first_embeddings);
    }

    fn of(&self, stage: Stage) -> Done {
        self.stages.get(&stage).copied().unwrap_or_default()
    }

    fn count(&mut self, stage: Stage, done: Done) {
        let sum = self.stages.entry(stage).or_default();
        sum.rows += done.rows;
        sum.tokens += done.tokens;
        sum.time += done.time;
    }
}

impl Session<'_> {
    pub(super) fn save(
        &mut self,
        stage: Stage,
        start: u64,
        rows: &Rows,
        provenance: &Provenance,
    ) -> Result<Part, Error> {
        let part = Part::save(&self.directory.stage(stage.name()), stage, start, rows, provenance)?;
        (self.observer)(Event::Saved { stage, rows: part.rows });
        self.inventory.add(part.clone());
        Ok(part)
    }

    pub(super) fn computed(&mut self, stage: Stage, rows: RowRange, letters: u64, time: Duration) {
        log::debug!("computed {stage} rows {rows}");
        let encoded = Stage::ENCODED.contains(&stage);
        let tokens = if encoded { self.forecast.tokens(stage, letters) } else { 0.0 };
        self.work.count(stage, Done { rows: rows.len(), tokens, time });
        (self.observer)(Event::Computed { stage, rows });
        if encoded {
            self.work.first_embeddings.get_or_insert_with(Instant::now);
            let progress = self.forecast.learn(stage, rows.len(), letters, time);
            (self.observer)(Event::Progress(&progress));
        }
    }

    /// The scores of a window are durable: its embeddings are deleted unless they are to be kept.
    pub(super) fn window_done(&mut self) -> Result<(), Error> {
        if self.keep_embeddings {
            return Ok(());
        }
        Ok(self.inventory.delete_scored_embeddings()?)
    }
}
