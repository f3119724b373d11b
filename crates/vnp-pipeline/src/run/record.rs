//! What `run.json` records of a run.

use std::collections::BTreeMap;

use vnp_job::parts::{Identity, Inventory, Manifest, ModelRecord, Session, Stage};
use vnp_job::rfc3339;

use super::context::Run;
use super::models::LazyModels;
use crate::publish::Published;
use crate::survey::Survey;

impl Run<'_> {
    /// What `run.json` records of the run, and of the session that ends it.
    pub(super) fn manifest(
        &self,
        identity: Identity,
        inventory: &Inventory,
        models: &LazyModels<'_>,
        survey: &Survey,
        published: Published,
    ) -> Manifest {
        Manifest {
            producer: concat!("vnp ", env!("CARGO_PKG_VERSION")).to_owned(),
            checkpoint_version: vnp_ckpt::CHECKPOINT_VERSION.to_owned(),
            identity,
            input_maybe_truncated: published.maybe_truncated,
            inputs: self.input_column(),
            publishing: published.publishing,
            numbered_ids: self.numbers_ids(survey),
            warnings: self.model.warnings.clone(),
            model: ModelRecord {
                name: self.model.name.clone(),
                description: self.model.description.clone(),
                held_out: self.model.held_out.clone(),
            },
            settings: self.options.settings.clone(),
            devices: self.rows_per_device(inventory),
            counts: published.counts,
            session: self.session(models),
            results: published.results,
        }
    }

    fn session(&self, models: &LazyModels<'_>) -> Session {
        let named = |stage: Stage| stage.name().to_owned();
        let mut seconds = self.seconds.clone();
        for stage in Stage::of_tracks(self.tracks) {
            seconds.insert(named(stage), self.work.time(stage).as_secs_f64());
        }
        if let Some(loading) = models.seconds() {
            seconds.insert("load_model".to_owned(), loading);
        }
        if let Some(first) = self.work.first_embeddings() {
            let waited = first.saturating_duration_since(self.began);
            seconds.insert("to_first_batch".to_owned(), waited.as_secs_f64());
        }
        let rate = |stage| Some((named(stage), self.work.tokens_per_second(stage)?.round()));
        Session {
            started: rfc3339(self.started),
            finished: rfc3339(jiff::Timestamp::now()),
            devices: models.devices(),
            rows_computed: Stage::of_tracks(self.tracks)
                .map(|stage| (named(stage), self.work.rows(stage)))
                .collect(),
            seconds,
            tokens_per_second: Stage::ENCODED.into_iter().filter_map(rate).collect(),
            peak_memory_bytes: crate::memory::peak_bytes(),
        }
    }

    /// Finished rows of each device.
    fn rows_per_device(&self, inventory: &Inventory) -> BTreeMap<String, u64> {
        let mut devices = BTreeMap::new();
        for part in self.tracks.iter().flat_map(|&track| inventory.parts(self.last_stage(track))) {
            *devices.entry(part.device.clone()).or_default() += part.rows.len();
        }
        devices
    }
}
