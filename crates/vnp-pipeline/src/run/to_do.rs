//! Which rows are still to be computed, in windows.

use vnp_ckpt::RowRange;
use vnp_job::parts::{Inventory, RowSet, Stage, Track, windows};

use super::context::Run;
use crate::resume::ResumeSummary;
use crate::survey::Survey;

/// The windows of each track in which rows are missing, ascending and disjoint.
#[derive(Debug)]
pub(super) struct ToDo {
    tracks: Vec<(Track, Vec<RowRange>)>,
}

impl ToDo {
    pub(super) fn is_empty(&self) -> bool {
        self.tracks.iter().all(|(_, windows)| windows.is_empty())
    }

    /// The tracks with something to compute.
    pub(super) fn tracks(&self) -> impl Iterator<Item = (Track, &[RowRange])> {
        let tracks = self.tracks.iter().filter(|(_, windows)| !windows.is_empty());
        tracks.map(|(track, windows)| (*track, windows.as_slice()))
    }

    /// The rows of these windows that are missing in a stage.
    pub(super) fn missing(&self, inventory: &Inventory, stage: Stage) -> RowSet {
        let covered = inventory.covered(stage);
        let mut missing = RowSet::default();
        for (_, windows) in self.tracks.iter().filter(|(track, _)| *track == stage.track()) {
            for range in windows.iter().flat_map(|&window| covered.missing_in(window)) {
                missing.insert(range);
            }
        }
        missing
    }
}

impl Run<'_> {
    /// The windows in which a required stage has missing rows.
    pub(super) fn to_do(&self, inventory: &Inventory, survey: &Survey) -> ToDo {
        let missing = |&track: &Track| {
            let everything = RowRange { start: 0, end: survey.rows_of(track) };
            let mut missing = RowSet::default();
            for &stage in self.required_stages(track) {
                for range in inventory.missing(stage, everything) {
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
        let last = || self.tracks.iter().map(|&track| self.last_stage(track));
        let to_compute = |stage| to_do.missing(inventory, stage).rows();
        ResumeSummary {
            rows: self.tracks.iter().map(|&track| survey.rows_of(track)).sum(),
            rows_finished: last().map(|stage| inventory.covered(stage).rows()).sum(),
            parts: inventory.len() as u64,
            finished_parts: last().map(|stage| inventory.parts(stage).len() as u64).sum(),
            missing_parts: (windows as u64).saturating_sub(bad_parts as u64),
            bad_parts: bad_parts as u64,
            nucleotide_rows: to_compute(Stage::Nucleotide),
            protein_rows: to_compute(Stage::Protein),
            nucleotide_only_rows: to_compute(Stage::NucleotideOnly),
        }
    }
}
