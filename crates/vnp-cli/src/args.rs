mod predict;
mod train;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand, ValueEnum};
use vnp_infer::{DeviceSpec, Precision};

pub(crate) use predict::PredictArgs;
pub(crate) use train::{EncodersFrom, OptimizerName, RecipeArgs, TrainArgs};

/// Finds viral sequences in metagenomic reads and contigs, and loses no work.
#[derive(Debug, Parser)]
#[command(name = "vnp", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// What every command understands.
#[derive(Debug, clap::Args)]
pub(crate) struct GlobalArgs {
    /// No progress bar, also on a terminal
    #[arg(long, global = true, help_heading = "Messages")]
    pub(crate) no_progress: bool,
    /// Only warnings and errors
    #[arg(short, long, global = true, help_heading = "Messages", conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// More messages; twice for all of them
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Messages")]
    pub(crate) verbose: u8,
    /// Also append the messages to FILE
    #[arg(long, global = true, value_name = "FILE", help_heading = "Messages")]
    pub(crate) log_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Predict which records are viral
    Predict(Box<PredictArgs>),
    /// Train a head on labelled records or embeddings, and write a bundle with it
    Train(Box<TrainArgs>),
    /// Look at every checkpoint below a directory
    ValidateCheckpoints(ValidateCheckpointsArgs),
    /// Look into one checkpoint, or write it in another format
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// Model bundles: list, locate, import, verify
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Write the stop-free reading frames and nothing else
    Orfs(OrfsArgs),
    /// Write one embedding per record
    Embed(EmbedArgs),
    /// List the devices that this build can compute on
    Devices,
    /// Check that a file is sound FASTA or FASTQ of nucleotides
    Validate(ValidateArgs),
    /// Write a completion script for a shell to standard output
    Completions {
        /// The shell
        shell: clap_complete::Shell,
    },
    /// Write the manual page to standard output
    Man,
}

/// Where a model computes and how finely.
#[derive(Debug, clap::Args)]
pub(crate) struct DeviceArgs {
    /// auto (every GPU, or the CPU where there is none), cpu, cuda (every GPU), cuda:N or N
    #[arg(short, long, default_value = "auto", help_heading = "Computing")]
    pub(crate) device: DeviceSpec,
    /// f32, bf16 or f16: the numbers that the encoders compute with, where the device can
    #[arg(long, default_value = "f32", help_heading = "Computing")]
    pub(crate) precision: Precision,
    /// Threads that compute; by default as many as this process may use
    #[arg(short, long, value_name = "N", help_heading = "Computing")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
    /// Tokens in one batch of the protein encoder on a GPU; a CPU chooses by itself
    #[arg(long, value_name = "TOKENS", default_value = "16384", help_heading = "Computing")]
    pub(crate) esm_batch_size: std::num::NonZeroUsize,
    /// Tokens in one batch of the nucleotide encoder, likewise
    #[arg(long, value_name = "TOKENS", default_value = "16384", help_heading = "Computing")]
    pub(crate) dnabert_batch_size: std::num::NonZeroUsize,
}

/// `vnp validate-checkpoints`
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateCheckpointsArgs {
    /// Every .vnp, .pt and .pth below this directory
    pub(crate) dir: PathBuf,
    /// Only sizes, containers and headers
    #[arg(long)]
    pub(crate) skip_load: bool,
    /// Append failures to DIR/failed_checkpoints.txt
    #[arg(long)]
    pub(crate) log_failures: bool,
    /// One JSON object instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// `vnp checkpoint`
#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Show what a checkpoint holds, without reading its payloads
    Inspect {
        /// The checkpoint
        file: PathBuf,
        /// One JSON object instead of text
        #[arg(long)]
        json: bool,
    },
    /// Write a checkpoint in another format: .vnp, .pt or .safetensors by the output's name
    Convert {
        /// The checkpoint: .vnp, .pt, .pth, .bin or .safetensors
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// The file to write, in the place of what is there; the input is left as it is
        #[arg(value_name = "OUT")]
        output: PathBuf,
    },
}

/// `vnp models`
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the embedded and the installed bundles
    List,
    /// Print the directories in which bundles are looked up
    Path,
    /// Check a bundle's files against their digests
    Verify {
        /// Name or directory; by default every bundle that is found
        name: Option<String>,
    },
    /// Make a bundle from an ESM-2, a DNABERT-S and a head
    Import(ImportArgs),
}

/// `vnp models import`
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// ESM-2: a .pt of fair-esm, a transformers directory, or its file of weights
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) esm2: PathBuf,
    /// DNABERT-S: a directory with config.json, tokenizer.json and weights
    #[arg(long, value_name = "DIR")]
    pub(crate) dnabert: PathBuf,
    /// DNABERT-S tokenizer.json, when it does not lie in that directory
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// The head: .pth (whole module or state dict) or .safetensors
    #[arg(long, value_name = "FILE")]
    pub(crate) head: PathBuf,
    /// A head over the nucleotide embedding alone, in the same forms, for predict --score-all
    #[arg(long, value_name = "FILE")]
    pub(crate) fallback: Option<PathBuf>,
    /// Chunk length for which the head was trained
    #[arg(long, value_name = "BP")]
    pub(crate) expected_length: u32,
    /// Name of the bundle; by default that of the output directory
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// The bundle directory to write
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,
}

/// `vnp orfs`
#[derive(Debug, clap::Args)]
pub(crate) struct OrfsArgs {
    /// FASTA or FASTQ, plain or compressed; - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// Chunk length
    #[arg(short, long, value_name = "BP", default_value = "500")]
    pub(crate) expected_length: u32,
    /// Where the frames' nucleotides go
    #[arg(long, value_name = "FILE")]
    pub(crate) nucleotide: PathBuf,
    /// Where the frames' proteins go
    #[arg(long, value_name = "FILE")]
    pub(crate) protein: PathBuf,
    /// Threads; by default as many as this process may use
    #[arg(short, long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

/// Which of the two encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncoderName {
    /// Proteins
    Esm2,
    /// Nucleotides
    DnabertS,
}

/// `vnp embed`
#[derive(Debug, clap::Args)]
pub(crate) struct EmbedArgs {
    /// FASTA or FASTQ of proteins (esm2) or nucleotides (dnabert-s)
    pub(crate) input: PathBuf,
    /// The encoder
    #[arg(long)]
    pub(crate) encoder: EncoderName,
    /// A bundle by name or directory, or an encoder's own directory or file
    #[arg(long, value_name = "FILE|DIR|BUNDLE")]
    pub(crate) weights: String,
    /// The checkpoint to write: ids and `embedding` `[rows, hidden]`
    #[arg(short, long, value_name = "OUT.vnp")]
    pub(crate) output: PathBuf,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,
}

/// `vnp validate`
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// FASTA or FASTQ, plain or compressed; - for standard input
    pub(crate) input: PathBuf,
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }
}
