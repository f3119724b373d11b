//! What a run has to compute, before it does.

mod profile;
mod sample;

use std::collections::BTreeMap;
use std::time::Duration;

use vnp_infer::{Cost, Encoder, Model};
use vnp_job::parts::{RowSet, Stage};
use vnp_seq::Block;

use profile::Profile;
use sample::Sample;

/// What a thread of a CPU is taken to compute before anything was measured: what a core with AVX2
/// reaches in f32, about a quarter of one with AVX-512.
const CPU_FLOPS_PER_THREAD: f64 = 50e9;
/// The same of a GPU: far less than a new one reaches in bf16, about what an old one does in f32.
const GPU_FLOPS: f64 = 10e12;

/// What embedding the missing rows of a run takes, on which devices.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// What the encoder of each stage that has one has to do.
    pub stages: BTreeMap<Stage, Workload>,
    /// The devices that share the rows, as parts record them.
    pub devices: Vec<String>,
}

/// What one encoder has to do in one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// What messages call the encoder.
    pub encoder: String,
    /// Rows to embed: those that no part has.
    pub rows: u64,
    /// Their bases or residues.
    pub letters: u64,
    /// The tokens that the network will see; 0 where the encoder cannot tell.
    pub tokens: u64,
    /// Floating-point operations; 0 where the encoder cannot tell.
    pub flops: f64,
    /// Whether tokens and operations are those of these very rows. If not, those of about 128 rows
    /// from all over the input were counted, and taken for the same per base or residue elsewhere.
    pub is_exact: bool,
}

/// That of a stage which has nothing to do.
static NOTHING: Workload = Workload {
    encoder: String::new(),
    rows: 0,
    letters: 0,
    tokens: 0,
    flops: 0.0,
    is_exact: false,
};

impl Workload {
    /// Tokens among so many bases or residues.
    #[must_use]
    pub fn tokens_of(&self, letters: u64) -> f64 {
        self.share(letters) * self.tokens as f64
    }

    /// Operations for so many bases or residues.
    #[must_use]
    pub fn flops_of(&self, letters: u64) -> f64 {
        self.share(letters) * self.flops
    }

    fn share(&self, letters: u64) -> f64 {
        letters as f64 / self.letters.max(1) as f64
    }
}

impl Estimate {
    /// The share of one stage; scores of embeddings cost next to nothing.
    #[must_use]
    pub fn of(&self, stage: Stage) -> &Workload {
        self.stages.get(&stage).unwrap_or(&NOTHING)
    }

    /// Floating-point operations of all encoders.
    #[must_use]
    pub fn flops(&self) -> f64 {
        self.stages.values().map(|work| work.flops).sum()
    }

    /// Whether no device is better than a CPU.
    #[must_use]
    pub fn is_on_cpu(&self) -> bool {
        self.devices.iter().all(|device| device.starts_with("cpu"))
    }

    /// Operations a second that are assumed of the devices before anything was measured: 50 GFLOP/s
    /// a thread of a CPU with `threads` of them, 10 TFLOP/s a GPU.
    #[must_use]
    pub fn assumed_flops(&self, threads: usize) -> f64 {
        match self.is_on_cpu() {
            true => CPU_FLOPS_PER_THREAD * threads.max(1) as f64,
            false => GPU_FLOPS * self.devices.len().max(1) as f64,
        }
    }

    /// How long it takes at [`assumed_flops`](Self::assumed_flops).
    #[must_use]
    pub fn assumed_time(&self, threads: usize) -> Duration {
        let seconds = self.flops() / self.assumed_flops(threads);
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// What the survey learns of the rows for an estimate; of bounded size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sizes {
    stages: BTreeMap<Stage, StageSizes>,
}

/// How long the sequences are that one stage embeds, and some of them.
#[derive(Clone, Debug, Default)]
struct StageSizes {
    profile: Profile,
    sample: Sample,
}

impl Sizes {
    pub(crate) fn add(&mut self, block: &Block) {
        for frame in &block.rows {
            let (nucleotide, protein) = (&frame.nucleotide, &frame.protein);
            self.row(Stage::Nucleotide, nucleotide.len(), || vec![nucleotide.clone()]);
            self.row(Stage::Protein, protein.len(), || vec![protein.clone()]);
        }
        for chunk in &block.orfless {
            let strands = || vec![chunk.nucleotide.clone(), chunk.reverse_complement()];
            self.row(Stage::NucleotideOnly, 2 * chunk.nucleotide.len(), strands);
        }
    }

    fn row(&mut self, stage: Stage, letters: usize, sequences: impl FnOnce() -> Vec<String>) {
        let sizes = self.stages.entry(stage).or_default();
        sizes.profile.add(letters as u64);
        sizes.sample.add(sequences);
    }

    /// What embedding takes of the rows that each stage lacks.
    pub(crate) fn estimate(&self, models: &[Model], lacking: &dyn Fn(Stage) -> RowSet) -> Estimate {
        let mut estimate = Estimate {
            devices: models.iter().map(|model| model.device_name().to_owned()).collect(),
            ..Estimate::default()
        };
        let Some(model) = models.first() else { return estimate };
        for (&stage, sizes) in &self.stages {
            let encoder = match stage {
                Stage::Protein => &model.protein,
                _ => &model.nucleotide,
            };
            estimate.stages.insert(stage, sizes.workload(encoder.as_ref(), &lacking(stage)));
        }
        estimate
    }
}

impl StageSizes {
    fn workload(&self, encoder: &dyn Encoder, rows: &RowSet) -> Workload {
        let letters = self.profile.letters(rows);
        let sample = self.sample.sequences();
        let cost = match rows.rows() {
            0 => Cost::default(),
            // A sequence that cannot be embedded is an error when it is embedded, not before.
            _ => encoder.cost(&sample).unwrap_or_default(),
        };
        let sampled: usize = sample.iter().map(|sequence| sequence.len()).sum();
        let share = letters as f64 / sampled.max(1) as f64;
        Workload {
            encoder: encoder.name().to_owned(),
            rows: rows.rows(),
            letters,
            tokens: (cost.tokens as f64 * share).round() as u64,
            flops: cost.flops * share,
            is_exact: self.profile.rows() == self.sample.rows()
                && rows.rows() == self.profile.rows(),
        }
    }
}
