//! Embeddings that are there, as examples to learn from.

mod given;
mod merged;
mod run;
mod stage;

use std::collections::HashMap;

use crate::Error;
use crate::examples::{Examples, Group, Row};
pub use given::{EmbeddedInput, Reading, read_embeddings};
pub use run::read_prepared;

/// Examples and where they come from.
#[derive(Debug, Clone, PartialEq)]
pub struct Embedded {
    /// The rows to learn from.
    pub examples: Examples,
    /// The encoders, where the embeddings say which.
    pub encoders: Option<Encoders>,
    /// Rows that are left out because they could not be computed.
    pub rows_failed: usize,
    /// Rows that are left out for another reason: no coding sequence confirms them, or there are
    /// too many of hosts.
    pub rows_left_out: usize,
}

/// What embeddings were computed with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encoders {
    /// The digest of the nucleotide encoder, as in a bundle.
    pub dnabert: String,
    /// The digest of the protein encoder.
    pub esm2: String,
    /// Their precision.
    pub precision: String,
    /// The chunk length.
    pub chunk_length: u32,
}

/// Rows as they are read, before they are examples.
#[derive(Debug, Default)]
struct Table {
    nucleotide_size: usize,
    protein_size: usize,
    ids: Vec<String>,
    is_virus: Vec<bool>,
    /// `[rows, nucleotide_size + protein_size]`
    features: Vec<f32>,
    rows_failed: usize,
}

impl Table {
    /// Keeps the rows that `keep` wants.
    fn retain(&mut self, mut keep: impl FnMut(usize) -> bool) {
        let width = self.nucleotide_size + self.protein_size;
        let kept: Vec<bool> = (0..self.ids.len()).map(&mut keep).collect();
        let mut end = 0;
        for row in (0..kept.len()).filter(|row| kept.get(*row) == Some(&true)) {
            self.features.copy_within(row * width..(row + 1) * width, end);
            end += width;
        }
        self.features.truncate(end);
        let mut kept_rows = kept.iter();
        self.ids.retain(|_| kept_rows.next() == Some(&true));
        let mut kept_rows = kept.iter();
        self.is_virus.retain(|_| kept_rows.next() == Some(&true));
    }

    fn append(&mut self, mut other: Self) {
        self.nucleotide_size = other.nucleotide_size;
        self.protein_size = other.protein_size;
        self.ids.append(&mut other.ids);
        self.is_virus.append(&mut other.is_virus);
        self.features.append(&mut other.features);
        self.rows_failed += other.rows_failed;
    }

    /// Examples of these rows; `place` is each row's chunk, numbered anyhow, and its group. The rows
    /// of one chunk are brought together, where it appears first; groups without rows are left out.
    fn into_examples(self, place: &[(usize, usize)], groups: &[Group]) -> Examples {
        let mut chunks = HashMap::new();
        let mut order: Vec<(usize, usize, usize)> = Vec::new();
        for (row, (chunk, group)) in place.iter().enumerate() {
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
                examples.groups.extend(groups.get(*group).cloned());
                examples.groups.len().saturating_sub(1)
            });
            let id = self.ids.get(*row).cloned().unwrap_or_default();
            let is_virus = self.is_virus.get(*row).copied().unwrap_or_default();
            examples.rows.push(Row { id, chunk: *chunk, is_virus, group });
        }
        let width = self.nucleotide_size + self.protein_size;
        examples.features = if is_ordered {
            self.features
        } else {
            let row = |row: usize| self.features.get(row * width..(row + 1) * width);
            order.iter().filter_map(|(_, at, _)| row(*at)).flatten().copied().collect()
        };
        examples
    }
}

impl Encoders {
    /// Refuses embeddings that other encoders made than those of `earlier`.
    fn agree(&self, earlier: &Self, path: &std::path::Path) -> Result<(), Error> {
        for (what, found, expected) in [
            ("the nucleotide encoder", &self.dnabert, &earlier.dnabert),
            ("the protein encoder", &self.esm2, &earlier.esm2),
            ("the precision", &self.precision, &earlier.precision),
            ("the chunk length", &self.chunk_length.to_string(), &earlier.chunk_length.to_string()),
        ] {
            if found != expected {
                return Err(Error::Embeddings {
                    path: path.to_owned(),
                    what: what.to_owned(),
                    expected: expected.clone(),
                    found: found.clone(),
                });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
