//! The work of a run before it is done: how many rows, tokens and operations, on which devices.

pub(crate) mod sizes;

use std::collections::BTreeMap;
use std::time::Duration;

use vnp_job::parts::Stage;

/// The speed assumed of a CPU thread before anything was measured: what a core with AVX2 reaches in
/// f32, about a quarter of one with AVX-512.
const CPU_FLOPS_PER_THREAD: f64 = 50e9;
/// The speed assumed of a GPU: far below a new one in bf16, about that of an old one in f32.
const GPU_FLOPS: f64 = 10e12;

/// The work of embedding the missing rows of a run, and the devices for it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Estimate {
    /// The work of each stage that has an encoder.
    pub stages: BTreeMap<Stage, Workload>,
    /// The devices that share the rows, as parts record them.
    pub devices: Vec<String>,
}

/// The work of one encoder in one stage.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workload {
    /// Name of the encoder, for messages.
    pub encoder: String,
    /// Rows to embed: those that no part has.
    pub rows: u64,
    /// Their tokens; 0 if the encoder does not know.
    pub tokens: u64,
    /// Floating-point operations; 0 if the encoder does not know.
    pub flops: f64,
    /// Whether tokens and operations were counted over all these rows. If not, they were counted over
    /// up to 128 rows from the whole input and scaled to the length of all of its rows.
    pub is_exact: bool,
}

static NO_WORK: Workload =
    Workload { encoder: String::new(), rows: 0, tokens: 0, flops: 0.0, is_exact: false };

impl Estimate {
    /// The work of one stage; the stage of scores has next to none.
    #[must_use]
    pub fn of(&self, stage: Stage) -> &Workload {
        self.stages.get(&stage).unwrap_or(&NO_WORK)
    }

    /// Whether all devices are CPUs.
    #[must_use]
    pub fn is_on_cpu(&self) -> bool {
        self.devices.iter().all(|device| device.starts_with("cpu"))
    }

    /// Operations per second assumed of the devices before anything was measured: 50 GFLOP/s per
    /// thread of a CPU, 10 TFLOP/s per GPU.
    #[must_use]
    pub fn assumed_flops(&self, threads: usize) -> f64 {
        match self.is_on_cpu() {
            true => CPU_FLOPS_PER_THREAD * threads.max(1) as f64,
            false => GPU_FLOPS * self.devices.len().max(1) as f64,
        }
    }

    /// The time of all the work at [`assumed_flops`](Self::assumed_flops).
    #[must_use]
    pub fn assumed_time(&self, threads: usize) -> Duration {
        let flops: f64 = self.stages.values().map(|work| work.flops).sum();
        Duration::try_from_secs_f64(flops / self.assumed_flops(threads)).unwrap_or(Duration::MAX)
    }
}
