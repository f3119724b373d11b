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
    /// Whether the row could not be computed.
    pub(super) failed: Vec<bool>,
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
            failed: Vec::with_capacity(rows),
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
        self.push_as(source, values, !values.iter().all(|value| value.is_finite()));
    }

    /// Adds a row whose status is known.
    pub fn push_as(&mut self, source: RowSource<'_>, values: &[f32], failed: bool) {
        debug_assert_eq!(values.len(), self.width, "values of row {}", source.id);
        self.ids.push(source.id.to_owned());
        self.fingerprints.push(source.fingerprint());
        self.failed.push(failed);
        if failed {
            self.values.resize(self.values.len() + self.width, 0.0);
        } else {
            self.values.extend_from_slice(values);
        }
    }

    /// Adds the rows of `other`, which has the same width.
    pub fn append(&mut self, mut other: Self) {
        debug_assert_eq!(other.width, self.width);
        self.ids.append(&mut other.ids);
        self.fingerprints.append(&mut other.fingerprints);
        self.values.append(&mut other.values);
        self.failed.append(&mut other.failed);
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
        self.failed.get(row).copied().unwrap_or(true)
    }

    /// The rows in order: id, values, whether the row failed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[f32], bool)> {
        self.ids.iter().enumerate().map(|(row, id)| (id.as_str(), self.row(row), self.failed[row]))
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
        assert_eq!(rows.failed, [false, true, true]);
        assert_eq!(rows.values, [1.0, 2.0, 0.0, 0.0, 0.0, 0.0]);
        assert_eq!(rows.row(0), [1.0, 2.0]);
        assert!(rows.is_failed(7));
        let status: Vec<_> =
            rows.iter().map(|(id, values, failed)| (id, values[0], failed)).collect();
        assert_eq!(status, [("a", 1.0, false), ("b", 0.0, true), ("c", 0.0, true)]);
    }
}
