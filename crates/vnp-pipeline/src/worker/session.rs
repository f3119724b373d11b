use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;

use crate::directory::OutputDirectory;
use crate::error::Error;
use crate::forecast::Forecast;
use crate::observer::{Event, Observer};
use crate::part::{self, Part, Provenance, Rows};
use crate::resume::Inventory;
use crate::stage::Stage;

/// Where a session's work goes, and who is told. It stays on the thread that the run was called
/// on; the workers reach it over their links.
pub(crate) struct Session<'a> {
    pub(crate) directory: &'a OutputDirectory,
    pub(crate) inventory: &'a mut Inventory,
    pub(crate) keep_embeddings: bool,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) forecast: Forecast,
    pub(crate) work: Work,
}

/// What was computed, and the time that it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    stages: BTreeMap<Stage, Done>,
    first_embeddings: Option<Instant>,
}

/// What was computed of one stage.
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

    /// Tokens a second of one worker at work, about; nothing where they are not known.
    pub(crate) fn tokens_per_second(&self, stage: Stage) -> Option<f64> {
        let Done { tokens, time, .. } = self.of(stage);
        (tokens > 0.0 && !time.is_zero()).then(|| tokens / time.as_secs_f64())
    }

    /// Over all workers: several that work for a second work for several seconds.
    pub(crate) fn time(&self, stage: Stage) -> Duration {
        self.of(stage).time
    }

    /// When the first embeddings were there.
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
        let part = part::save(&self.directory.stage(stage), stage, start, rows, provenance)?;
        self.observer.event(Event::Saved { stage, rows: part.rows });
        self.inventory.add(part.clone());
        Ok(part)
    }

    pub(super) fn computed(&mut self, stage: Stage, rows: RowRange, letters: u64, time: Duration) {
        log::debug!("computed {stage} rows {rows}");
        let encoded = Stage::ENCODED.contains(&stage);
        let tokens = if encoded { self.forecast.tokens(stage, letters) } else { 0.0 };
        self.work.count(stage, Done { rows: rows.len(), tokens, time });
        self.observer.event(Event::Computed { stage, rows });
        if encoded {
            self.work.first_embeddings.get_or_insert_with(Instant::now);
            let progress = self.forecast.learn(stage, rows.len(), letters, time);
            self.observer.event(Event::Progress(&progress));
        }
    }

    /// The scores of a window are durable: embeddings that nobody needs any more are deleted.
    pub(super) fn window_done(&mut self) -> Result<(), Error> {
        if self.keep_embeddings {
            return Ok(());
        }
        self.inventory.delete_scored_embeddings()
    }
}
