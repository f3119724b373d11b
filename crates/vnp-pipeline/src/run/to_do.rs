use vnp_ckpt::RowRange;

use super::Run;
use crate::plan::{RowSet, windows};
use crate::resume::{Inventory, ResumeSummary};
use crate::stage::Stage;
use crate::survey::Survey;
use crate::track::Track;

/// The windows of each track in which rows are missing, ascending and disjoint.
#[derive(Debug)]
pub(super) struct ToDo {
    tracks: Vec<(Track, Vec<RowRange>)>,
}

impl ToDo {
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.iter().all(|(_, windows)| windows.is_empty())
    }

    /// The tracks that have something to do.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (Track, &[RowRange])> {
        let tracks = self.tracks.iter().filter(|(_, windows)| !windows.is_empty());
        tracks.map(|(track, windows)| (*track, windows.as_slice()))
    }

    /// The rows of these windows that a stage lacks.
    pub(super) fn lacking(&self, inventory: &Inventory, stage: Stage) -> RowSet {
        let covered = inventory.covered(stage);
        let mut lacking = RowSet::default();
        for (_, windows) in self.tracks.iter().filter(|(track, _)| *track == stage.track()) {
            for range in windows.iter().flat_map(|&window| covered.missing_in(window)) {
                lacking.insert(range);
            }
        }
        lacking
    }
}

impl Run<'_> {
    /// The windows in which a stage lacks rows. Embeddings count only if they are to be kept.
    pub(super) fn to_do(&self, inventory: &Inventory, survey: &Survey) -> ToDo {
        let missing = |&track: &Track| {
            let everything = RowRange { start: 0, end: survey.rows_of(track) };
            let scores = [track.scores()];
            let stages =
                if self.options.keep_embeddings { track.stages() } else { scores.as_slice() };
            let mut missing = RowSet::default();
            for stage in stages {
                for range in inventory.covered(*stage).missing_in(everything) {
                    missing.insert(range);
                }
            }
            (track, windows(missing.ranges(), self.options.checkpoint_rows.get()))
        };
        ToDo { tracks: self.tracks.iter().map(missing).collect() }
    }

    /// What earlier sessions left.
    pub(super) fn summary(
        &self,
        inventory: &Inventory,
        survey: &Survey,
        bad_parts: usize,
    ) -> ResumeSummary {
        let to_do = self.to_do(inventory, survey);
        let windows: usize = to_do.tracks().map(|(_, windows)| windows.len()).sum();
        let scores = || self.tracks.iter().map(|track| track.scores());
        let to_compute = |stage| to_do.lacking(inventory, stage).rows();
        ResumeSummary {
            rows: self.tracks.iter().map(|&track| survey.rows_of(track)).sum(),
            rows_scored: scores().map(|stage| inventory.covered(stage).rows()).sum(),
            parts: inventory.len() as u64,
            score_parts: scores().map(|stage| inventory.parts(stage).len() as u64).sum(),
            missing_parts: (windows as u64).saturating_sub(bad_parts as u64),
            bad_parts: bad_parts as u64,
            nucleotide_rows: to_compute(Stage::Nucleotide),
            protein_rows: to_compute(Stage::Protein),
            dna_only_rows: to_compute(Stage::DnaOnly),
        }
    }
}
