//! The arguments of `vnp embed`.

use std::num::NonZeroU64;
use std::path::PathBuf;

use clap::ValueEnum;

use super::device::DeviceArgs;

/// One of the two encoders: ESM-2 for proteins, DNABERT-S for nucleotides.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncoderName {
    Esm2,
    DnabertS,
}

/// What to do with letters outside the alphabet of ESM-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum UnknownResiduesName {
    Refuse,
    Mask,
}

/// `vnp embed`
#[derive(Debug, clap::Args)]
pub(crate) struct EmbedArgs {
    /// FASTA or FASTQ file with proteins (esm2) or nucleotides (dnabert-s); - for standard input
    pub(crate) input: PathBuf,
    /// Encoder: esm2 for proteins, dnabert-s for nucleotides
    #[arg(long)]
    pub(crate) encoder: EncoderName,
    /// Name or directory of a model (mini is built in), or the directory or weights file of an encoder
    #[arg(long, value_name = "FILE|DIR|BUNDLE")]
    pub(crate) weights: String,
    /// File to write, in the format that its name ends in: .vnp (checkpoint), .pt or .safetensors.
    /// It holds the sequence ids and their embedding vectors; until it is complete, saved work is in
    /// OUT.parts
    #[arg(short, long, value_name = "OUT")]
    pub(crate) output: PathBuf,
    /// Letters that ESM-2 does not know: refuse the input, or mask (read them as unknown) [default: refuse]
    #[arg(long, value_name = "refuse|mask", hide_possible_values = true)]
    pub(crate) unknown_residues: Option<UnknownResiduesName>,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,

    /// Continue from the saved work in OUT.parts
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) resume: bool,
    /// As --resume, but damaged checkpoints are renamed and computed again instead of stopping
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) force_resume: bool,
    /// Start again: delete OUT.parts of an earlier run, and replace OUT once the new one is complete
    #[arg(short, long, help_heading = "Checkpoints")]
    pub(crate) force: bool,
    /// Save at least after every N sequences: the most work that a crash can cost
    #[arg(long, value_name = "N", default_value = "8192", help_heading = "Checkpoints")]
    pub(crate) checkpoint_rows: NonZeroU64,
    /// Save at least every T seconds: the most work that a crash can cost
    #[arg(long, value_name = "T", default_value = "300", help_heading = "Checkpoints")]
    pub(crate) checkpoint_seconds: u64,
}
