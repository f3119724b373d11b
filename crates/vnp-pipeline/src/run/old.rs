use std::collections::HashMap;
use std::path::PathBuf;

use vnp_infer::Model;
use vnp_seq::FrameReader;

use super::{LoadModel, Run};
use crate::directory::OutputDirectory;
use crate::error::Error;
use crate::identity::Identity;
use crate::legacy::{self, Request};
use crate::observer::Event;
use crate::part::{self, Provenance};
use crate::plan::RowSet;
use crate::resume::{Inventory, log_bad};
use crate::stage::Stage;
use crate::survey::Survey;
use crate::worker::Flow;

/// The device that parts of old embeddings record.
const DEVICE: &str = "old checkpoints";

impl Run<'_> {
    /// Saves as parts what the directory of an old run has and this run lacks.
    #[expect(clippy::too_many_arguments, reason = "the state of one attempt")]
    pub(super) fn take_old_features(
        &self,
        directory: &OutputDirectory,
        inputs: &[PathBuf],
        survey: &Survey,
        identity: &Identity,
        inventory: &mut Inventory,
        model: &mut Option<Model>,
        load_model: &mut Option<Box<LoadModel<'_>>>,
    ) -> Result<Flow, Error> {
        let Some(dir) = &self.options.resume_from else { return Ok(Flow::Done) };
        let wanted = self.wanted_embeddings(inventory, survey.rows);
        if wanted.values().all(|rows| rows.ranges().is_empty()) {
            return Ok(Flow::Done);
        }
        if self.model.has_encoders && model.is_none() {
            *model = self.load(load_model)?;
        }
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
                Stage::Protein | Stage::Scores => self.model.protein_hidden,
            },
            model: model.as_ref().filter(|_| self.model.has_encoders),
            on_bad: self.options.on_bad_part,
            part_rows: self.options.checkpoint_rows.get(),
            log_bad: &|bad| log_bad(directory, bad),
            stop: self.stop,
        };
        let frames = || Ok(FrameReader::open(inputs, self.options.chunk_length)?);
        legacy::adopt(&request, &frames, &mut |stage, start, rows| {
            let part = part::save(&directory.stage(stage), stage, start, rows, &provenance)?;
            self.observer.event(Event::Saved { stage, rows: part.rows });
            inventory.add(part);
            Ok(())
        })
    }

    /// The rows that have neither a score nor an embedding, by stage.
    fn wanted_embeddings(&self, inventory: &Inventory, rows: u64) -> HashMap<Stage, RowSet> {
        let missing = self.missing(inventory, rows);
        let lacking = |stage| {
            let covered = inventory.covered(stage);
            let mut lacking = RowSet::default();
            for range in missing.iter().flat_map(|&window| covered.missing_in(window)) {
                lacking.insert(range);
            }
            lacking
        };
        Stage::EMBEDDINGS.into_iter().map(|stage| (stage, lacking(stage))).collect()
    }
}
