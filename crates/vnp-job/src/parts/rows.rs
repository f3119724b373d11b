//! The values of consecutive rows of one stage.

use std::ops::Range;

/// What a row was computed from. Everything in the row follows from its nucleotides.
#[derive(Clone, Copy, Debug)]
pub struct RowSource<'a> {
    /// The id that parts record.
    pub id: &'a str,
    /// The nucleotides.
    pub nucleotide: &'a str,
}

impl RowSource<'_> {
    /// A hash of id and nucleotides, stored with each row: ids may repeat, and a file may be replaced
    /// by one with the same ids.
    fn fingerprint(self) -> i64 {
        let text = [self.id.as_bytes(), b"\0", self.nucleotide.as_bytes()].concat();
        twox_hash::XxHash3_64::oneshot(&text).cast_signed()
    }
}

/// What became of a row. Its number is what parts record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum RowStatus {
    /// It has values.
    Computed = 0,
    /// It could not be computed: an embedding is not finite.
    Failed = 1,
    /// The head gave a score that is not finite for embeddings that are.
    FailedInHead = 2,
}

impl RowStatus {
    /// The status of this number; of one that is not known only that it is none of a computed row.
    pub(super) fn of(number: u8) -> Self {
        match number {
            0 => Self::Computed,
            2 => Self::FailedInHead,
            _ => Self::Failed,
        }
    }
}

/// The values of consecutive rows of one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    /// Ids, one per row.
    pub(super) ids: Vec<String>,
    /// Fingerprint of what each row was computed from.
    pub(super) fingerprints: Vec<i64>,
    /// `[rows, width]`, row-major; zeros in a failed row, so that a part is finite throughout.
    pub(super) values: Vec<f32>,
    /// Values per row.
    pub(super) width: usize,
    /// What became of each row.
    pub(super) status: Vec<RowStatus>,
}

#[expect(
    clippy::indexing_slicing,
    reason = "the vectors grow together, and rows are asked for only below len()"
)]
impl Rows {
    /// No rows yet, with room for `rows` of `width` values.
    #[must_use]
    pub fn with_capacity(rows: usize, width: usize) -> Self {
        Self {
            ids: Vec::with_capacity(rows),
            fingerprints: Vec::with_capacity(rows),
            values: Vec::with_capacity(rows.saturating_mul(width)),
            width,
            status: Vec::with_capacity(rows),
        }
    }

    /// The number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether there are no rows.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Adds a row. A value that is not finite makes it a failed one.
    pub fn push(&mut self, source: RowSource<'_>, values: &[f32]) {
        self.push_or(RowStatus::Failed, source, values);
    }

    /// Adds a row, which gets this status if a value is not finite.
    pub fn push_or(&mut self, otherwise: RowStatus, source: RowSource<'_>, values: &[f32]) {
        let is_finite = values.iter().all(|value| value.is_finite());
        self.push_as(source, values, if is_finite { RowStatus::Computed } else { otherwise });
    }

    /// Adds a row whose status is known.
    pub fn push_as(&mut self, source: RowSource<'_>, values: &[f32], status: RowStatus) {
        debug_assert_eq!(values.len(), self.width, "values of row {}", source.id);
        self.ids.push(source.id.to_owned());
        self.fingerprints.push(source.fingerprint());
        self.status.push(status);
        if status == RowStatus::Computed {
            self.values.extend_from_slice(values);
        } else {
            self.values.resize(self.values.len() + self.width, 0.0);
        }
    }

    /// Adds the rows of `other`, which has the same width.
    pub fn append(&mut self, mut other: Self) {
        debug_assert_eq!(other.width, self.width);
        self.ids.append(&mut other.ids);
        self.fingerprints.append(&mut other.fingerprints);
        self.values.append(&mut other.values);
        self.status.append(&mut other.status);
    }

    /// The values of row `row`, which must be one of these.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        self.slice(&(row..row + 1))
    }

    /// The values of consecutive rows, which must be among these.
    #[must_use]
    pub fn slice(&self, rows: &Range<usize>) -> &[f32] {
        &self.values[rows.start * self.width..rows.end * self.width]
    }

    /// Checks that the row at `index` was computed from `source`.
    ///
    /// # Errors
    /// What it was computed from instead.
    pub fn check(&self, index: usize, source: RowSource<'_>) -> Result<(), String> {
        match (self.ids.get(index), self.fingerprints.get(index)) {
            (Some(id), Some(_)) if id != source.id => Err(format!("\"{id}\"")),
            (Some(_), Some(fingerprint)) if *fingerprint == source.fingerprint() => Ok(()),
            (Some(id), Some(_)) => Err(format!("\"{id}\" of another sequence")),
            _ => Err("missing".to_owned()),
        }
    }

    /// Whether row `row` could not be computed, or is not one of these.
    #[must_use]
    pub fn is_failed(&self, row: usize) -> bool {
        self.status(row) != RowStatus::Computed
    }

    /// What became of row `row`; failed if it is not one of these.
    #[must_use]
    pub fn status(&self, row: usize) -> RowStatus {
        self.status.get(row).copied().unwrap_or(RowStatus::Failed)
    }

    /// The rows in order: id, values, whether the row failed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32], bool)> {
        self.ids
            .iter()
            .enumerate()
            .map(|(row, id)| (id.as_str(), self.row(row), self.is_failed(row)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of<'a>(id: &'a str, nucleotide: &'a str) -> RowSource<'a> {
        RowSource { id, nucleotide }
    }

    #[test]
    fn a_row_knows_what_it_was_computed_from() {
        let mut rows = Rows::with_capacity(1, 1);
        rows.push(of("a", "GCC"), &[1.0]);
        assert_eq!(rows.check(0, of("a", "GCC")), Ok(()));
        assert_eq!(rows.check(0, of("b", "GCC")), Err("\"a\"".into()));
        assert_eq!(rows.check(0, of("a", "GCA")), Err("\"a\" of another sequence".into()));
        assert_eq!(rows.check(1, of("a", "GCC")), Err("missing".into()));
    }

    #[test]
    fn a_row_that_is_not_finite_fails_and_leaves_zeros() {
        let mut rows = Rows::with_capacity(2, 2);
        rows.push(of("a", "GCC"), &[1.0, 2.0]);
        rows.push(of("b", "GCC"), &[f32::NAN, 2.0]);
        rows.push(of("c", "GCC"), &[3.0, f32::INFINITY]);
        rows.push_or(RowStatus::FailedInHead, of("d", "GCC"), &[f32::NAN; 2]);
        let failed = [RowStatus::Failed; 2];
        assert_eq!(rows.status[..3], [&[RowStatus::Computed][..], &failed].concat());
        assert_eq!((rows.status(3), rows.is_failed(3)), (RowStatus::FailedInHead, true));
        rows.ids.pop();
        rows.status.pop();
        rows.values.truncate(6);
        assert_eq!(rows.values, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.row(0), [1.0, 2.0]);
        assert!(rows.is_failed(7));
        let status: Vec<_> =
            rows.iter().map(|(id, values, failed)| (id, values[0], failed)).collect();
        assert_eq!(status, [("a", 1.0, false), ("b", 0.0, true), ("c", 0.0, true)]);
    }
}
