//! The sizes of a run's rows, learned while the input is read for the first time.

use std::collections::BTreeMap;

use vnp_ckpt::RowRange;
use vnp_infer::{Cost, Encoder, Model};
use vnp_job::parts::{RowSet, Stage};
use vnp_seq::Block;

use super::bins::Bins;
use super::{Estimate, Workload};

/// Sizes of the rows of every stage with an encoder, in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    stages: BTreeMap<Stage, StageSizes>,
}

/// Sizes of the rows of one stage.
#[derive(Clone, Debug)]
struct StageSizes {
    /// Bases or residues.
    letters: Bins<u64>,
    /// The sequences of the first row of every bin.
    sample: Bins<Vec<String>>,
}

impl Sizes {
    pub(crate) fn add(&mut self, block: &Block) {
        for frame in &block.rows {
            self.add_row(Stage::Nucleotide, frame.nucleotide.len(), || {
                vec![frame.nucleotide.clone()]
            });
            self.add_row(Stage::Protein, frame.protein.len(), || vec![frame.protein.clone()]);
        }
        for chunk in &block.orfless {
            let strands = || vec![chunk.nucleotide.clone(), chunk.reverse_complement()];
            self.add_row(Stage::NucleotideOnly, 2 * chunk.nucleotide.len(), strands);
        }
    }

    /// Adds a row; its sequences are requested only if they are kept.
    fn add_row(&mut self, stage: Stage, letters: usize, sequences: impl FnOnce() -> Vec<String>) {
        self.stages.entry(stage).or_default().add(letters, sequences);
    }

    /// The work of embedding the rows that are missing in each stage.
    pub(crate) fn estimate(&self, models: &[Model], missing: &dyn Fn(Stage) -> RowSet) -> Estimate {
        let devices = models.iter().map(|model| model.device_name().to_owned()).collect();
        let mut estimate = Estimate { devices, ..Estimate::default() };
        let Some(model) = models.first() else { return estimate };
        for (&stage, sizes) in &self.stages {
            let encoder = match stage {
                Stage::Protein => &model.protein,
                _ => &model.nucleotide,
            };
            estimate.stages.insert(stage, sizes.workload(encoder.as_ref(), &missing(stage)));
        }
        estimate
    }
}

impl Default for StageSizes {
    fn default() -> Self {
        Self { letters: Bins::new(4096), sample: Bins::new(128) }
    }
}

impl StageSizes {
    fn add(&mut self, letters: usize, sequences: impl FnOnce() -> Vec<String>) {
        let letters = letters as u64;
        self.letters.add_row(|| letters, |sum| *sum += letters, |left, right| left + right);
        self.sample.add_row(sequences, |_| (), |left, _| left);
    }

    fn workload(&self, encoder: &dyn Encoder, rows: &RowSet) -> Workload {
        let sample: Vec<&str> = self.sample.bins.iter().flatten().map(String::as_str).collect();
        let cost = match rows.rows() {
            0 => Cost::default(),
            // A sequence that cannot be embedded is reported when it is embedded, not here.
            _ => encoder.cost(&sample).unwrap_or_default(),
        };
        let letters = letters_of(&self.letters, rows);
        let sampled: usize = sample.iter().map(|sequence| sequence.len()).sum();
        let scale = letters as f64 / sampled.max(1) as f64;
        Workload {
            encoder: encoder.name().to_owned(),
            rows: rows.rows(),
            letters,
            tokens: (cost.tokens as f64 * scale).round() as u64,
            flops: cost.flops * scale,
            is_exact: self.sample.step == 1 && rows.rows() == self.letters.rows,
        }
    }
}

/// The letters of some rows: of a bin of which only some rows are asked for, that share.
fn letters_of(letters: &Bins<u64>, rows: &RowSet) -> u64 {
    let of_bin = |(index, &sum): (usize, &u64)| {
        let start = index as u64 * letters.step;
        let bin = RowRange { start, end: letters.rows.min(start + letters.step) };
        let missing: u64 = rows.missing_in(bin).iter().map(RowRange::len).sum();
        sum as f64 * (1.0 - missing as f64 / bin.len().max(1) as f64)
    };
    letters.bins.iter().enumerate().map(of_bin).sum::<f64>().round() as u64
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of `length(row)` letters, each with its number and `-` as sequences.
    fn sizes(rows: u64, length: impl Fn(u64) -> u64) -> StageSizes {
        let mut sizes = StageSizes::default();
        for row in 0..rows {
            sizes.add(length(row) as usize, || vec![row.to_string(), "-".to_owned()]);
        }
        sizes
    }

    #[track_caller]
    fn check(sizes: &StageSizes, ranges: &[(u64, u64)], expected: u64) {
        let mut rows = RowSet::default();
        for &(start, end) in ranges {
            rows.insert(RowRange { start, end });
        }
        assert_eq!(letters_of(&sizes.letters, &rows), expected);
    }

    #[test]
    fn letters_of_few_rows_are_exact() {
        let sizes = sizes(4096, |row| row);
        check(&sizes, &[], 0);
        check(&sizes, &[(0, 4096)], 4095 * 2048);
        check(&sizes, &[(7, 8), (4000, 4002)], 7 + 4000 + 4001);
    }

    #[test]
    fn letters_of_many_rows_stay_in_their_bins() {
        for rows in [4097, 8192, 100_001] {
            let sizes = sizes(rows, |row| if row < rows / 2 { 100 } else { 10 });
            assert!((1025..=4096).contains(&sizes.letters.bins.len()));
            let (front, back) = (rows / 2, rows - rows / 2);
            check(&sizes, &[(0, rows)], 100 * front + 10 * back);
            let step = sizes.letters.step;
            check(&sizes, &[(0, step)], 100 * step);
            check(&sizes, &[(rows - 1, rows)], 10);
            check(&sizes, &[(0, 1)], 100);
        }
    }

    #[test]
    fn a_sample_is_spread_over_all_rows() {
        let counts = [(0, 0, 1), (5, 5, 1), (128, 128, 1), (129, 65, 2), (256, 128, 2)];
        for (rows, kept, step) in counts.into_iter().chain([(257, 65, 4), (10_000, 79, 128)]) {
            let expected: Vec<_> =
                (0..kept).map(|i| vec![(i * step).to_string(), "-".to_owned()]).collect();
            assert_eq!(sizes(rows, |_| 1).sample.bins, expected, "of {rows}");
        }
    }
}
