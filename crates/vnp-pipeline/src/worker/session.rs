use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use vnp_ckpt::RowRange;

use crate::directory::OutputDirectory;
use crate::error::Error;
use crate::observer::{Event, Observer};
use crate::part::{self, Provenance, Rows};
use crate::resume::Inventory;
use crate::stage::Stage;
use crate::stop::StopFlag;

/// Where a session's work goes, and who is told.
pub(crate) struct Session<'a> {
    pub(crate) directory: &'a OutputDirectory,
    pub(crate) inventory: &'a mut Inventory,
    pub(crate) provenance: Provenance,
    pub(crate) checkpoint_interval: Duration,
    pub(crate) observer: &'a dyn Observer,
    pub(crate) stop: &'a StopFlag,
    pub(crate) last_saved: Instant,
    pub(crate) work: Work,
}

/// Rows computed and time spent in each stage.
#[derive(Clone, Debug, Default)]
pub(crate) struct Work(BTreeMap<Stage, (u64, Duration)>);

impl Work {
    pub(crate) fn rows(&self, stage: Stage) -> u64 {
        self.0.get(&stage).map_or(0, |(rows, _)| *rows)
    }

    pub(crate) fn time(&self, stage: Stage) -> Duration {
        self.0.get(&stage).map_or(Duration::ZERO, |(_, time)| *time)
    }

    /// Adds the work of another session.
    pub(crate) fn add(&mut self, other: &Self) {
        for (stage, (rows, time)) in &other.0 {
            let sum = self.0.entry(*stage).or_default();
            sum.0 += rows;
            sum.1 += *time;
        }
    }
}

impl Session<'_> {
    pub(super) fn is_stopped(&self) -> bool {
        self.stop.requested().is_some()
    }

    /// Whether what is computed should be saved now, before more is added to it.
    pub(super) fn is_save_due(&self) -> bool {
        self.is_stopped() || self.last_saved.elapsed() >= self.checkpoint_interval
    }

    pub(super) fn save(&mut self, stage: Stage, start: u64, rows: &Rows) -> Result<(), Error> {
        let dir = self.directory.stage(stage);
        let part = part::save(&dir, stage, start, rows, &self.provenance)?;
        self.last_saved = Instant::now();
        self.observer.event(Event::Saved { stage, rows: part.rows });
        self.inventory.add(part);
        Ok(())
    }

    pub(super) fn computed(&mut self, stage: Stage, rows: RowRange, began: Instant) {
        log::debug!("computed {stage} rows {rows}");
        let sum = self.work.0.entry(stage).or_default();
        sum.0 += rows.len();
        sum.1 += began.elapsed();
        self.observer.event(Event::Computed { stage, rows });
    }
}
