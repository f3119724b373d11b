//! Rows of embeddings as they are read, before they are examples.

use std::collections::HashMap;
use std::path::Path;

use crate::data::examples::{Examples, Group, Row};
use crate::error::Error;

/// Rows with their ids, labels and features.
#[derive(Debug, Default)]
pub(super) struct RowTable {
    pub(super) nucleotide_size: usize,
    pub(super) protein_size: usize,
    pub(super) ids: Vec<String>,
    pub(super) is_virus: Vec<bool>,
    /// The features `[rows, nucleotide_size + protein_size]`.
    pub(super) features: Vec<f32>,
    pub(super) rows_failed: usize,
}

impl RowTable {
    /// Keeps the rows for which `keep` is true.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let width = self.nucleotide_size + self.protein_size;
        let kept: Vec<bool> = (0..self.ids.len()).map(&mut keep).collect();
        let mut end = 0;
        for (row, _) in kept.iter().enumerate().filter(|(_, kept)| **kept) {
            self.features.copy_within(row * width..(row + 1) * width, end);
            end += width;
        }
        self.features.truncate(end);
        let mut is_kept = kept.iter().copied();
        self.ids.retain(|_| is_kept.next() == Some(true));
        let mut is_kept = kept.iter().copied();
        self.is_virus.retain(|_| is_kept.next() == Some(true));
    }

    /// Adds the rows of `other`, which must have the same widths; the table `from` is named if not. A
    /// table without rows has no widths.
    pub(super) fn append(&mut self, mut other: Self, from: &Path) -> Result<(), Error> {
        if other.ids.is_empty() {
            self.rows_failed += other.rows_failed;
            return Ok(());
        }
        let (ours, theirs) = (
            [self.nucleotide_size, self.protein_size],
            [other.nucleotide_size, other.protein_size],
        );
        if !self.ids.is_empty() && ours != theirs {
            return Err(vnp_job::Error::Mismatch {
                path: from.to_owned(),
                what: "the size of the embeddings".to_owned(),
                expected: format!("{ours:?}"),
                found: format!("{theirs:?}"),
            }
            .into());
        }
        [self.nucleotide_size, self.protein_size] = theirs;
        self.ids.append(&mut other.ids);
        self.is_virus.append(&mut other.is_virus);
        self.features.append(&mut other.features);
        self.rows_failed += other.rows_failed;
        Ok(())
    }

    /// Makes examples; `place` holds the chunk (any number) and the group of each row, or `None` for
    /// a row to leave out. The rows of one chunk are brought together where it appears first; groups
    /// without rows are dropped.
    #[expect(clippy::indexing_slicing, reason = "`place` has one entry per row of the table")]
    pub(super) fn into_examples(
        mut self,
        place: &[Option<(usize, usize)>],
        groups: &[Group],
    ) -> Examples {
        debug_assert_eq!(place.len(), self.ids.len());
        self.retain(|row| place[row].is_some());
        let mut chunks = HashMap::new();
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (row, (chunk, group)) in place.iter().flatten().enumerate() {
            let next = chunks.len();
            order.push((*chunks.entry(*chunk).or_insert(next), row, *group));
        }
        let is_ordered = order.is_sorted();
        order.sort_unstable();
        let mut examples = Examples {
            nucleotide_size: self.nucleotide_size,
            protein_size: self.protein_size,
            chunks: chunks.len(),
            ..Examples::default()
        };
        let mut numbers = HashMap::new();
        for (chunk, row, group) in &order {
            let group = *numbers.entry(*group).or_insert_with(|| {
                examples.groups.push(groups[*group].clone());
                examples.groups.len() - 1
            });
            let (id, is_virus) = (self.ids[*row].clone(), self.is_virus[*row]);
            examples.rows.push(Row { id, chunk: *chunk, is_virus, group });
        }
        let width = self.nucleotide_size + self.protein_size;
        examples.features = if is_ordered {
            self.features
        } else {
            let row = |row: usize| &self.features[row * width..(row + 1) * width];
            order.iter().flat_map(|(_, at, _)| row(*at)).copied().collect()
        };
        examples
    }
}
