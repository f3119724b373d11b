//! Embeddings of a run of the Python tools, imported as parts.

use std::collections::HashMap;

use vnp_job::parts::{Identity, Inventory, Part, Provenance, Stage, Track};
use vnp_job::{JobDirectory, record_failures};

use super::context::Run;
use super::models::LazyModels;
use crate::error::Error;
use crate::event::Event;
use crate::import::{self, Request};
use crate::source::Source;
use crate::survey::Survey;

/// The device that parts of old embeddings record.
const DEVICE: &str = "old checkpoints";

impl Run<'_> {
    /// Saves as parts the rows that are missing here and that the directory of an old run holds.
    pub(super) fn import_features(
        &self,
        directory: &JobDirectory,
        source: Source<'_>,
        survey: &Survey,
        identity: &Identity,
        inventory: &mut Inventory,
        models: &mut LazyModels<'_>,
    ) -> Result<(), Error> {
        let Some(dir) = &self.options.resume_from else { return Ok(()) };
        let to_do = self.to_do(inventory, survey);
        let wanted: HashMap<_, _> = Stage::EMBEDDINGS
            .into_iter()
            .map(|stage| (stage, to_do.missing(inventory, stage)))
            .collect();
        if wanted.values().all(|rows| rows.ranges().is_empty()) {
            return Ok(());
        }
        let encoders = match self.model.encoders {
            Some(_) => models.get(self.observer)?.first(),
            None => None,
        };
        let provenance = Provenance {
            identity: identity.clone(),
            device: DEVICE.to_owned(),
            keep_embeddings: self.keeps_embeddings() || inventory.keeps_embeddings(),
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
            record_bad: &|bad| record_failures(&directory.failed_checkpoints(), bad),
            stop: self.stop,
        };
        let frames = || source.open(&[Track::Frames]);
        import::import(&request, &frames, &mut |stage, start, rows| {
            directory.check_lock()?;
            let part = Part::save(&directory.stage(stage.name()), stage, start, rows, &provenance)?;
            (self.observer)(Event::Saved { stage, rows: part.rows });
            inventory.add(part);
            Ok(())
        })
    }
}
