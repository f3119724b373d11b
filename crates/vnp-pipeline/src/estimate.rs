//! What a run has to compute, before it does.

mod profile;
mod sample;

use std::time::Duration;

use vnp_infer::{Cost, Encoder, Model};
use vnp_seq::FrameRow;

use crate::plan::RowSet;
use crate::stage::Stage;
use profile::Profile;
use sample::Sample;

/// What a thread of a CPU is taken to compute before anything was measured: what a core with AVX2
/// reaches in f32, about a quarter of one with AVX-512.
const CPU_FLOPS_PER_THREAD: f64 = 50e9;
/// The same of a GPU: far less than a new one reaches in bf16, about what an old one does in f32.
const GPU_FLOPS: f64 = 10e12;

/// What embedding the missing rows of a run takes, on which devices.
#[derive(Clone, Debug, PartialEq)]
pub struct Estimate {
    /// The nucleotide encoder's share.
    pub nucleotide: Workload,
    /// The protein encoder's share.
    pub protein: Workload,
    /// The devices that share the rows, as parts record them.
    pub devices: Vec<String>,
}

/// What one encoder has to do.
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
    /// Whether tokens and operations are those of these very rows. If not, those of up to 128 rows
    /// from all over the input were counted, and taken for the same per base or residue elsewhere.
    pub is_exact: bool,
}

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
    /// The share of one embedding stage; the scores cost next to nothing.
    #[must_use]
    pub fn of(&self, stage: Stage) -> &Workload {
        match stage {
            Stage::Nucleotide => &self.nucleotide,
            Stage::Protein | Stage::Scores => &self.protein,
        }
    }

    /// Floating-point operations of both encoders.
    #[must_use]
    pub fn flops(&self) -> f64 {
        self.nucleotide.flops + self.protein.flops
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

/// Bases and residues of rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Letters {
    pub(crate) nucleotide: u64,
    pub(crate) protein: u64,
}

/// What the survey learns of the frames for an estimate; of bounded size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Frames {
    profile: Profile,
    sample: Sample,
}

impl Frames {
    pub(crate) fn add(&mut self, frames: &[FrameRow]) {
        for frame in frames {
            self.profile.add(Letters {
                nucleotide: frame.nucleotide.len() as u64,
                protein: frame.protein.len() as u64,
            });
            self.sample.add(frame);
        }
    }

    /// What embedding takes of the rows that each stage lacks.
    pub(crate) fn estimate(&self, models: &[Model], lacking: &dyn Fn(Stage) -> RowSet) -> Estimate {
        let workload = |stage| {
            let model = models.first()?;
            let (encoder, sequences) = match stage {
                Stage::Nucleotide => (&model.nucleotide, self.sample.nucleotides()),
                Stage::Protein | Stage::Scores => (&model.protein, self.sample.proteins()),
            };
            Some(self.workload(stage, encoder.as_ref(), &sequences, &lacking(stage)))
        };
        Estimate {
            nucleotide: workload(Stage::Nucleotide).unwrap_or_default(),
            protein: workload(Stage::Protein).unwrap_or_default(),
            devices: models.iter().map(|model| model.device_name().to_owned()).collect(),
        }
    }

    fn workload(
        &self,
        stage: Stage,
        encoder: &dyn Encoder,
        sample: &[&str],
        rows: &RowSet,
    ) -> Workload {
        let letters = self.profile.letters(rows);
        let letters = match stage {
            Stage::Nucleotide => letters.nucleotide,
            Stage::Protein | Stage::Scores => letters.protein,
        };
        let cost = match rows.rows() {
            0 => Cost::default(),
            // A sequence that cannot be embedded is an error when it is embedded, not before.
            _ => encoder.cost(sample).unwrap_or_default(),
        };
        let sampled: usize = sample.iter().map(|sequence| sequence.len()).sum();
        let share = letters as f64 / sampled.max(1) as f64;
        Workload {
            encoder: encoder.name().to_owned(),
            rows: rows.rows(),
            letters,
            tokens: (cost.tokens as f64 * share).round() as u64,
            flops: cost.flops * share,
            is_exact: self.profile.rows() == sample.len() as u64
                && rows.rows() == self.profile.rows(),
        }
    }
}
