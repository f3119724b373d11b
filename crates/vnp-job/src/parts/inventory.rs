//! The parts that may be trusted, and the rows that they cover.

use vnp_ckpt::RowRange;

use super::part::Part;
use super::row_set::RowSet;
use super::stage::Stage;
use crate::error::Error;
use crate::files::remove_file_if_there;

/// The parts of a run that may be trusted.
#[derive(Debug, Default)]
pub struct Inventory {
    parts: Vec<Part>,
}

impl Inventory {
    /// Adds a part.
    pub fn add(&mut self, part: Part) {
        self.parts.push(part);
    }

    /// The parts of a stage by their rows.
    #[must_use]
    pub fn parts(&self, stage: Stage) -> Vec<&Part> {
        let mut parts: Vec<_> = self.of_stage(stage).collect();
        parts.sort_by_key(|part| part.rows.start);
        parts
    }

    fn of_stage(&self, stage: Stage) -> impl Iterator<Item = &Part> {
        self.parts.iter().filter(move |part| part.stage == stage)
    }

    /// The part of a stage that holds a row.
    #[must_use]
    pub fn part_with(&self, stage: Stage, row: u64) -> Option<&Part> {
        self.of_stage(stage).find(|part| part.rows.contains(row))
    }

    /// The parts that hold rows of a window.
    #[must_use]
    pub fn overlapping(&self, window: RowRange) -> Self {
        let overlaps = |part: &&Part| part.rows.start < window.end && window.start < part.rows.end;
        Self { parts: self.parts.iter().filter(overlaps).cloned().collect() }
    }

    /// The number of parts, of every stage.
    #[must_use]
    pub fn len(&self) -> usize {
        self.parts.len()
    }

    /// Whether there are no parts.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    /// The rows that the parts of a stage hold.
    #[must_use]
    pub fn covered(&self, stage: Stage) -> RowSet {
        let mut covered = RowSet::default();
        self.of_stage(stage).for_each(|part| covered.insert(part.rows));
        covered
    }

    /// The rows of `range` that no part of a stage holds, ascending.
    #[must_use]
    pub fn missing(&self, stage: Stage, range: RowRange) -> Vec<RowRange> {
        self.covered(stage).missing_in(range)
    }

    /// Whether a session that keeps its embeddings has worked here.
    #[must_use]
    pub fn keeps_embeddings(&self) -> bool {
        self.parts.iter().any(|part| part.kept)
    }

    /// Deletes the embeddings whose rows are all scored.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn delete_scored_embeddings(&mut self) -> Result<(), Error> {
        let scored = self.covered(Stage::Scores);
        let (done, parts): (Vec<Part>, Vec<Part>) = std::mem::take(&mut self.parts)
            .into_iter()
            .partition(|part| Stage::EMBEDDINGS.contains(&part.stage) && scored.covers(part.rows));
        self.parts = parts;
        done.iter().try_for_each(|part| remove_file_if_there(&part.path))
    }
}
