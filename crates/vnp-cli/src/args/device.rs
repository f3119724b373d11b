//! The options that choose where a model computes, and how: device, precision, threads, batch sizes.

use std::num::NonZeroUsize;

use serde::{Serialize, Serializer};
use vnp_infer::{DeviceSpec, ModelOptions, Precision};

/// The device and its settings; serialized as `run.json` records them.
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct DeviceArgs {
    /// Device: auto (all GPUs, else the CPU), cpu, cuda (all GPUs), cuda:N or N
    #[arg(short, long, default_value = "auto", help_heading = "Computing")]
    #[serde(skip)]
    pub(crate) device: DeviceSpec,
    /// Number format: f32, or the faster and less precise bf16 or f16 where the device supports it
    #[arg(long, default_value = "f32", help_heading = "Computing")]
    #[serde(serialize_with = "text")]
    pub(crate) precision: Precision,
    /// Worker threads [default: all available]
    #[arg(short, long, value_name = "N", help_heading = "Computing")]
    #[serde(skip)]
    pub(crate) threads: Option<NonZeroUsize>,
    /// Tokens per batch of the protein encoder on a GPU (chosen automatically on a CPU)
    #[arg(long, value_name = "TOKENS", default_value = "16384", help_heading = "Computing")]
    pub(crate) esm_batch_size: NonZeroUsize,
    /// Tokens per batch of the nucleotide encoder on a GPU (chosen automatically on a CPU)
    #[arg(long, value_name = "TOKENS", default_value = "16384", help_heading = "Computing")]
    pub(crate) dnabert_batch_size: NonZeroUsize,
}

impl DeviceArgs {
    /// The same for loading a model.
    pub(crate) fn model_options(&self) -> ModelOptions {
        ModelOptions {
            device: self.device,
            precision: self.precision,
            esm2_batch_tokens: self.esm_batch_size.into(),
            dnabert_batch_tokens: self.dnabert_batch_size.into(),
        }
    }
}

fn text<S: Serializer>(precision: &Precision, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(precision)
}
