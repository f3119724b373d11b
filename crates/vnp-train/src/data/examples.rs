//! Embedded ORFs with their labels and groups: what a head learns from.

use crate::error::Error;
use crate::split::{Split, SplitCounts};

/// Embedded ORFs to learn from, as rows of features.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Examples {
    /// The number of values of a nucleotide embedding.
    pub nucleotide_size: usize,
    /// The number of values of a protein embedding.
    pub protein_size: usize,
    /// The features `[rows, nucleotide_size + protein_size]`, nucleotide first.
    pub features: Vec<f32>,
    /// The rows; those of one chunk are adjacent.
    pub rows: Vec<Row>,
    /// The groups of relatives.
    pub groups: Vec<Group>,
    /// The number of chunks.
    pub chunks: usize,
}

impl Examples {
    /// The number of values of a row.
    #[must_use]
    pub fn width(&self) -> usize {
        self.nucleotide_size + self.protein_size
    }

    /// The features of a row; empty where there is no such row.
    #[must_use]
    pub fn row(&self, row: usize) -> &[f32] {
        let start = row.saturating_mul(self.width());
        let end = start.saturating_add(self.width());
        self.features.get(start..end).unwrap_or_default()
    }

    /// The split that a row is used for.
    #[must_use]
    pub fn split(&self, row: &Row) -> Option<Split> {
        self.groups.get(row.group).map(|group| group.split)
    }

    /// The rows of a split, in order.
    #[must_use]
    pub fn rows_of(&self, split: Split) -> Vec<usize> {
        let rows = self.rows.iter().enumerate();
        rows.filter(|(_, row)| self.split(row) == Some(split)).map(|(row, _)| row).collect()
    }

    /// The number of ORFs and groups of every split.
    pub(crate) fn counts(&self) -> [SplitCounts; 3] {
        Split::ALL.map(|split| {
            let rows = self.rows.iter().filter(|row| self.split(row) == Some(split));
            let (viral, others): (Vec<_>, Vec<_>) = rows.partition(|row| row.is_virus);
            let groups = self.groups.iter().filter(|group| group.split == split).count();
            SplitCounts { split, viral: viral.len(), others: others.len(), groups }
        })
    }

    /// Checks that features, rows, groups and chunks agree, and that every feature is
    /// finite.
    ///
    /// # Errors
    /// [`Error::Mismatch`]
    pub fn check(&self) -> Result<(), Error> {
        let differ =
            |what, expected: String, found: String| Err(Error::Mismatch { what, expected, found });
        let expected = self.rows.len() * self.width();
        if self.features.len() != expected {
            return differ("features", expected.to_string(), self.features.len().to_string());
        }
        if let Some(at) = self.features.iter().position(|x| !x.is_finite()) {
            let row = self.rows.get(at / self.width().max(1));
            let found = format!("a value that is none in `{}`", row.map_or("", |row| &row.id));
            return differ("features", "finite values".to_owned(), found);
        }
        let mut seen = vec![false; self.chunks];
        let mut previous: Option<&Row> = None;
        for row in &self.rows {
            if row.group >= self.groups.len() {
                let expected = format!("below {}", self.groups.len());
                return differ("group of a row", expected, row.group.to_string());
            }
            match previous.filter(|previous| previous.chunk == row.chunk) {
                Some(first) if (first.is_virus, first.group) != (row.is_virus, row.group) => {
                    let expected = format!("label and group of `{}`", first.id);
                    let found = format!("others in `{}`", row.id);
                    return differ("rows of one chunk", expected, found);
                }
                Some(_) => {}
                None => match seen.get_mut(row.chunk) {
                    Some(seen) if !*seen => *seen = true,
                    _ => {
                        let expected = format!("one below {}, side by side", self.chunks);
                        return differ("chunk of a row", expected, row.chunk.to_string());
                    }
                },
            }
            previous = Some(row);
        }
        Ok(())
    }
}

/// One row: an ORF.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The id of the ORF.
    pub id: String,
    /// The index of its chunk.
    pub chunk: usize,
    /// Whether its record is a virus.
    pub is_virus: bool,
    /// The index of its group in [`Examples::groups`].
    pub group: usize,
}

/// A group of relatives, all in one split.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The name, for reports.
    pub name: String,
    /// The kind of organism, for reports; empty where unknown.
    pub kind: String,
    /// The split that its rows belong to.
    pub split: Split,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::rng::Rng;

    /// Chunks of two rows and four features, ten chunks a group, six groups of either class: a
    /// row is viral where its first two features differ in sign.
    pub(crate) fn examples(seed: u64) -> Examples {
        let mut rng = Rng::new(seed, "examples");
        let mut examples =
            Examples { nucleotide_size: 3, protein_size: 1, chunks: 120, ..Examples::default() };
        let splits = [Split::Training, Split::Training, Split::Training, Split::Training];
        let splits = [&splits[..], &[Split::Validation, Split::Test]].concat();
        for group in 0..12 {
            let is_virus = group % 2 == 0;
            let split = splits[group / 2];
            let kind = if is_virus { "phage" } else { "bacterium" }.to_owned();
            examples.groups.push(Group { name: format!("g{group}"), kind, split });
            for row in 0..20 {
                let first = rng.normal();
                let sign = if is_virus { -1.0 } else { 1.0 };
                let second = rng.normal().abs() * first.signum() * sign;
                let noise = 0.3 * rng.normal();
                examples.features.extend([5.0 + first, second + noise, rng.normal(), rng.normal()]);
                let chunk = group * 10 + row / 2;
                let id = format!("r{group}_chunk_{}F{}", row / 2 + 1, row % 2 + 1);
                examples.rows.push(Row { id, chunk, is_virus, group });
            }
        }
        examples
    }

    #[track_caller]
    fn check_refused(change: impl Fn(&mut Examples), expected: &str) {
        let mut examples = examples(1);
        assert!(examples.check().is_ok());
        change(&mut examples);
        let Err(Error::Mismatch { what, .. }) = examples.check() else { panic!("{expected}") };
        assert_eq!(what, expected);
    }

    #[test]
    fn examples_that_contradict_themselves_are_refused() {
        check_refused(|e| e.features.truncate(959), "features");
        check_refused(|e| e.features[7] = f32::NAN, "features");
        check_refused(|e| e.rows[3].group = 12, "group of a row");
        check_refused(|e| e.rows[1].is_virus = false, "rows of one chunk");
        check_refused(|e| e.rows[1].group = 2, "rows of one chunk");
        check_refused(|e| e.rows[4].chunk = 0, "chunk of a row");
        check_refused(|e| e.chunks = 119, "chunk of a row");
    }

    #[test]
    fn rows_have_features_and_a_part() {
        let examples = examples(1);
        assert_eq!(examples.row(2), &examples.features[8..12]);
        assert!(examples.row(240).is_empty());
        assert_eq!(examples.rows_of(Split::Validation), (160..200).collect::<Vec<_>>());
    }
}
