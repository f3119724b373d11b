//! The sizes of a run's rows, learned while the input is read for the first time.

use std::collections::BTreeMap;

use vnp_infer::{Cost, Encoder, Model};
use vnp_job::parts::{RowSet, Stage};
use vnp_seq::Block;

use super::{Estimate, Workload};

/// Sizes of the rows of every stage with an encoder, in bounded memory.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    stages: BTreeMap<Stage, StageSizes>,
}

/// Rows kept of a stage at most; an even number.
const SAMPLE: usize = 128;

/// The rows of one stage: how many, of what length, and some of them from all over the input.
#[derive(Clone, Debug)]
struct StageSizes {
    rows: u64,
    /// Bases or residues of all rows.
    letters: u64,
    /// The sequences of every `step`th row.
    sample: Vec<Vec<String>>,
    step: u64,
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
            estimate.stages.insert(stage, sizes.workload(encoder.as_ref(), missing(stage).rows()));
        }
        estimate
    }
}

impl Default for StageSizes {
    fn default() -> Self {
        Self { rows: 0, letters: 0, sample: Vec::new(), step: 1 }
    }
}

impl StageSizes {
    fn add(&mut self, letters: usize, sequences: impl FnOnce() -> Vec<String>) {
        if self.rows.is_multiple_of(self.step) && self.sample.len() == SAMPLE {
            let mut keep = [true, false].into_iter().cycle();
            self.sample.retain(|_| keep.next().unwrap_or_default());
            self.step *= 2;
        }
        if self.rows.is_multiple_of(self.step) {
            self.sample.push(sequences());
        }
        self.rows += 1;
        self.letters += letters as u64;
    }

    /// The work of some rows, which are assumed to be as long as all are on average.
    fn workload(&self, encoder: &dyn Encoder, rows: u64) -> Workload {
        let sample: Vec<&str> = self.sample.iter().flatten().map(String::as_str).collect();
        let cost = match rows {
            0 => Cost::default(),
            // A sequence that cannot be embedded is reported when it is embedded, not here.
            _ => encoder.cost(&sample).unwrap_or_default(),
        };
        let letters = self.letters as f64 * rows as f64 / self.rows.max(1) as f64;
        let sampled: usize = sample.iter().map(|sequence| sequence.len()).sum();
        let scale = letters / sampled.max(1) as f64;
        Workload {
            encoder: encoder.name().to_owned(),
            rows,
            tokens: (cost.tokens as f64 * scale).round() as u64,
            flops: cost.flops * scale,
            is_exact: self.step == 1 && rows == self.rows,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_spread_over_all_rows() {
        let counts = [(0, 0, 1), (5, 5, 1), (128, 128, 1), (129, 65, 2), (256, 128, 2)];
        for (rows, kept, step) in counts.into_iter().chain([(257, 65, 4), (10_000, 79, 128)]) {
            let mut sizes = StageSizes::default();
            (0..rows).for_each(|row: u64| sizes.add(1, || vec![row.to_string(), "-".to_owned()]));
            let expected: Vec<_> =
                (0..kept).map(|i| vec![(i * step).to_string(), "-".to_owned()]).collect();
            assert_eq!(sizes.sample, expected, "of {rows}");
        }
    }
}
