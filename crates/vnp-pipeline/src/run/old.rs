use std::collections::HashMap;

use super::Run;
use super::models::LazyModels;
use crate::directory::OutputDirectory;
use crate::error::Error;
use crate::identity::Identity;
use crate::legacy::{self, Request};
use crate::observer::Event;
use crate::part::{self, Provenance};
use crate::resume::{Inventory, log_bad};
use crate::source::Source;
use crate::stage::Stage;
use crate::survey::Survey;
use crate::track::Track;
use crate::worker::Flow;

/// The device that parts of old embeddings record.
const DEVICE: &str = "old checkpoints";

impl Run<'_> {
    /// Saves as parts what the directory of an old run has and this run lacks.
    pub(super) fn take_old_features(
        &self,
        directory: &OutputDirectory,
        source: Source<'_>,
        survey: &Survey,
        identity: &Identity,
        inventory: &mut Inventory,
        models: &mut LazyModels<'_>,
    ) -> Result<Flow, Error> {
        let Some(dir) = &self.options.resume_from else { return Ok(Flow::Done) };
        let to_do = self.to_do(inventory, survey);
        let wanted: HashMap<_, _> = Stage::EMBEDDINGS
            .into_iter()
            .map(|stage| (stage, to_do.lacking(inventory, stage)))
            .collect();
        if wanted.values().all(|rows| rows.ranges().is_empty()) {
            return Ok(Flow::Done);
        }
        let encoders = match self.model.has_encoders {
            true => models.get(self.observer)?.first(),
            false => None,
        };
        let provenance = Provenance {
            identity: identity.clone(),
            device: DEVICE.to_owned(),
            keep_embeddings: self.options.keep_embeddings || inventory.keeps_embeddings(),
        };
        let request = Request {
            dir,
            wanted,
            width_of: &|stage| match stage {
                Stage::Nucleotide => self.model.nucleotide_hidden,
                _ => self.model.protein_hidden,
            },
            model: encoders,
            on_bad: self.options.on_bad_part,
            part_rows: self.options.checkpoint_rows.get(),
            log_bad: &|bad| log_bad(directory, bad),
            stop: self.stop,
        };
        let frames = || source.open(&[Track::Frames]);
        legacy::adopt(&request, &frames, &mut |stage, start, rows| {
            let part = part::save(&directory.stage(stage), stage, start, rows, &provenance)?;
            self.observer.event(Event::Saved { stage, rows: part.rows });
            inventory.add(part);
            Ok(())
        })
    }
}
