//! The command line: commands, their arguments, and the help texts that users read.

pub(crate) mod device;
pub(crate) mod embed;
mod input;
pub(crate) mod predict;
pub(crate) mod reads;
mod tables;
mod train;

use std::path::PathBuf;

use clap::{ArgAction, Parser, Subcommand};

use embed::EmbedArgs;
use input::DuplicateIdsCheck;
use predict::PredictArgs;
use reads::ReadsArgs;
pub(crate) use train::{EncodersFrom, OptimizerName, RecipeArgs, TrainArgs};

/// Find viral sequences in metagenomic reads and contigs; interrupted runs can be continued
#[derive(Debug, Parser)]
#[command(name = "vnp", bin_name = "vnp", version, max_term_width = 100)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
    #[command(flatten)]
    pub(crate) global: GlobalArgs,
}

/// The options of every command: what is printed, and where.
#[derive(Debug, clap::Args)]
pub(crate) struct GlobalArgs {
    /// Do not draw a progress bar
    #[arg(long, global = true, help_heading = "Messages")]
    pub(crate) no_progress: bool,
    /// Print only warnings and errors
    #[arg(short, long, global = true, help_heading = "Messages", conflicts_with = "verbose")]
    pub(crate) quiet: bool,
    /// Print more messages (-vv: all)
    #[arg(short, long, global = true, action = ArgAction::Count, help_heading = "Messages")]
    pub(crate) verbose: u8,
    /// Also append messages to FILE, which is new, empty, or a log of vnp
    #[arg(long, global = true, value_name = "FILE", help_heading = "Messages")]
    pub(crate) log_file: Option<PathBuf>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Predict which sequences are viral
    Predict(Box<PredictArgs>),
    /// Train a model on your own viral and non-viral sequences
    Train(Box<TrainArgs>),
    /// Check all saved work (checkpoint files) in a directory
    ValidateCheckpoints(ValidateCheckpointsArgs),
    /// Show one checkpoint file, or convert it to another format
    #[command(subcommand)]
    Checkpoint(CheckpointCommand),
    /// List, find, check and import models
    #[command(subcommand)]
    Models(ModelsCommand),
    /// Write the ORFs (stop-free reading frames) as FASTA, without predicting
    Orfs(OrfsArgs),
    /// Compute the embedding vector of each sequence
    Embed(Box<EmbedArgs>),
    /// Give reads the calls of the contigs that they align to
    Reads(Box<ReadsArgs>),
    /// List the CPUs and GPUs that can be used
    Devices,
    /// Check that a file is valid nucleotide FASTA or FASTQ
    Validate(ValidateArgs),
    /// Print a completion script for your shell
    Completions {
        /// Shell to write the script for
        shell: clap_complete::Shell,
    },
    /// Print the manual page
    Man,
}

/// `vnp validate-checkpoints`
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateCheckpointsArgs {
    /// Directory to search for .vnp, .pt and .pth files, with its subdirectories
    pub(crate) dir: PathBuf,
    /// Check only file structure and headers, not the data (faster)
    #[arg(long)]
    pub(crate) skip_load: bool,
    /// Append bad files to DIR/failed_checkpoints.txt
    #[arg(long)]
    pub(crate) log_failures: bool,
    /// Print JSON instead of a table
    #[arg(long)]
    pub(crate) json: bool,
}

/// `vnp checkpoint`
#[derive(Debug, Subcommand)]
pub(crate) enum CheckpointCommand {
    /// Show the header of a checkpoint: version, rows, tensors, metadata
    Inspect {
        /// Checkpoint file
        file: PathBuf,
        /// Print JSON instead of text
        #[arg(long)]
        json: bool,
    },
    /// Convert a checkpoint to .vnp, .pt or .safetensors
    Convert {
        /// Checkpoint to read (.vnp, .pt, .pth, .bin or .safetensors); it is not changed
        #[arg(value_name = "IN")]
        input: PathBuf,
        /// File to write (.vnp, .pt or .safetensors); an existing file is replaced
        #[arg(value_name = "OUT")]
        output: PathBuf,
    },
}

/// `vnp models`
#[derive(Debug, Subcommand)]
pub(crate) enum ModelsCommand {
    /// List the built-in and the installed models
    List,
    /// Print the directories that are searched for models
    Path,
    /// Check that the files of a model are intact (by their digests) and hold no NaN or infinity
    Verify {
        /// Name or directory of a model [default: all models found]
        name: Option<String>,
    },
    /// Make a model from downloaded weights: ESM-2, DNABERT-S and a VirNucPro head
    Import(ImportArgs),
}

/// `vnp models import`
#[derive(Debug, clap::Args)]
pub(crate) struct ImportArgs {
    /// ESM-2 weights: a fair-esm file, a Hugging Face directory, or its weights file (of any name)
    #[arg(long, value_name = "FILE|DIR")]
    pub(crate) esm2: PathBuf,
    /// DNABERT-S directory with config.json, tokenizer.json and the weights
    #[arg(long, value_name = "DIR")]
    pub(crate) dnabert: PathBuf,
    /// DNABERT-S tokenizer.json, if it is not in that directory
    #[arg(long, value_name = "FILE")]
    pub(crate) tokenizer: Option<PathBuf>,
    /// Head (classifier) weights: PyTorch (module, state dict, training checkpoint), safetensors or .vnp
    #[arg(long, value_name = "FILE")]
    pub(crate) head: PathBuf,
    /// Head for nucleotides alone, in the same formats, for predict --score-all
    #[arg(long, value_name = "FILE")]
    pub(crate) fallback: Option<PathBuf>,
    /// Chunk length that the head was trained on; of a published head it must be that head's
    #[arg(long, value_name = "BP")]
    pub(crate) expected_length: u32,
    /// Name of the model [default: name of the output directory]
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Directory to write the model to
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,
}

/// `vnp orfs`
#[derive(Debug, clap::Args)]
pub(crate) struct OrfsArgs {
    /// FASTA or FASTQ files, plain or compressed (gzip, bgzip, bzip2, xz, zstd); - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// Length of the chunks that sequences are cut into
    #[arg(short, long, value_name = "BP", default_value = "500")]
    pub(crate) expected_length: u32,
    /// FASTA file to write the nucleotide sequences of the ORFs to; compressed if its name ends in .gz,
    /// .bgz or .zst; - for standard output
    #[arg(long, value_name = "FILE")]
    pub(crate) nucleotide: PathBuf,
    /// FASTA file to write the protein sequences of the ORFs to, in the same way
    #[arg(long, value_name = "FILE")]
    pub(crate) protein: PathBuf,
    /// Refuse a bgzip file without its end mark, which may be truncated (default: warn)
    #[arg(long)]
    pub(crate) strict_input: bool,
    /// Worker threads [default: all available]
    #[arg(short, long, value_name = "N")]
    pub(crate) threads: Option<std::num::NonZeroUsize>,
}

/// `vnp validate`
#[derive(Debug, clap::Args)]
pub(crate) struct ValidateArgs {
    /// FASTA or FASTQ file, plain or compressed (gzip, bgzip, bzip2, xz, zstd); - for standard input
    pub(crate) input: PathBuf,
    /// Refuse a bgzip file without its end mark, which may be truncated (default: warn)
    #[arg(long)]
    pub(crate) strict_input: bool,
    /// What to do about equal ids: warn, or refuse the input
    #[arg(long, value_name = "WHAT", default_value = "warn")]
    pub(crate) duplicate_ids: DuplicateIdsCheck,
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
