//! The session of a run: its parts, its events, its work. One thread has it.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;
use vnp_job::JobDirectory;
use vnp_job::parts::{Inventory, Part, Provenance, Rows, Stage};

use crate::error::Error;
use crate::estimate::Estimate;
use crate::event::Event;
use crate::forecast::{Progress, Rate};

/// Where a session's work goes and is reported. It stays on the thread that the run was called on;
/// the workers reach it through their handles.
pub(crate) struct Session<'a> {
    pub(crate) directory: &'a JobDirectory,
    pub(crate) inventory: &'a mut Inventory,
    pub(crate) keep_embeddings: bool,
    pub(crate) observer: &'a dyn Fn(Event<'_>),
    pub(crate) estimate: Estimate,
    pub(crate) began: Instant,
    pub(crate) work: Work,
}

/// The rows that were computed, and the time that it took.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work {
    stages: BTreeMap<Stage, Rate>,
    first_embeddings: Option<Instant>,
}

impl Work {
    pub(crate) fn rows(&self, stage: Stage) -> u64 {
        self.of(stage).rows
    }

    /// Estimated tokens per second of one worker at work; none where they are unknown.
    pub(crate) fn tokens_per_second(&self, stage: Stage) -> Option<f64> {
        let rate = self.of(stage);
        (rate.tokens > 0.0 && !rate.busy.is_zero()).then(|| rate.tokens_per_second())
    }

    /// The time at work, summed over all workers.
    pub(crate) fn time(&self, stage: Stage) -> Duration {
        self.of(stage).busy
    }

    /// When the first embeddings were computed.
    pub(crate) fn first_embeddings(&self) -> Option<Instant> {
        self.first_embeddings
    }

    /// Adds the work of another session.
    pub(crate) fn add(&mut self, other: &Self) {
        for (&stage, rate) in &other.stages {
            self.stages.entry(stage).or_default().add(rate);
        }
        self.first_embeddings = self.first_embeddings.or(other.first_embeddings);
    }

    fn of(&self, stage: Stage) -> Rate {
        self.stages.get(&stage).copied().unwrap_or_default()
    }

    /// The work of the stages with an encoder.
    fn encoded(&self) -> BTreeMap<Stage, Rate> {
        let stages = self.stages.iter().map(|(&stage, &rate)| (stage, rate));
        stages.filter(|(stage, _)| Stage::ENCODED.contains(stage)).collect()
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
        self.directory.check_lock()?;
        let part = Part::save(&self.directory.stage(stage.name()), stage, start, rows, provenance)?;
        (self.observer)(Event::Saved { stage, rows: part.rows });
        self.inventory.add(part.clone());
        Ok(part)
    }

    pub(super) fn computed(&mut self, stage: Stage, rows: RowRange, time: Duration) {
        log::debug!("computed {stage} rows {rows}");
        let rate = Rate::new(self.estimate.of(stage), rows.len(), time);
        self.work.stages.entry(stage).or_default().add(&rate);
        (self.observer)(Event::Computed { stage, rows });
        if Stage::ENCODED.contains(&stage) {
            self.work.first_embeddings.get_or_insert_with(Instant::now);
            let (estimate, done) = (self.estimate.clone(), self.work.encoded());
            let progress = Progress::new(estimate, done, self.began.elapsed());
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
