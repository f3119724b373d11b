//! Arguments of `vnp train`.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use clap::ValueEnum;
use vnp_job::OnBadFile;

use super::device::DeviceArgs;

/// `vnp train`
#[derive(Debug, clap::Args)]
pub(crate) struct TrainArgs {
    /// Files whose records are labelled by --labels, or training files of VirNucPro (.pt), which hold
    /// their own labels
    #[arg(value_name = "INPUT")]
    pub(crate) input: Vec<PathBuf>,
    /// Viruses: FASTA, FASTQ or GenBank, plain or compressed; or existing embeddings: output
    /// directories of vnp predict --keep-embeddings, training files of VirNucPro
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    pub(crate) virus: Vec<PathBuf>,
    /// Everything else, in the same forms: bacteria, archaea, hosts
    #[arg(long, value_name = "FILE|DIR", num_args = 1..)]
    pub(crate) others: Vec<PathBuf>,
    /// Directory for the bundle, metrics and checkpoints
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: PathBuf,

    /// A table with the columns id, label (virus or others) and, if known, group and kind
    #[arg(long, value_name = "TSV", help_heading = "Data")]
    pub(crate) labels: Option<PathBuf>,
    /// A table with the columns id, group and, if known, kind: the records of one group are relatives,
    /// and stay in one split
    #[arg(long, value_name = "TSV", help_heading = "Data")]
    pub(crate) groups: Option<PathBuf>,
    /// Learn from every ORF of GenBank records, not only from those within a translated CDS
    #[arg(long, help_heading = "Data")]
    pub(crate) no_cds_filter: bool,
    /// Chunks of others per viral chunk; inf for all
    #[arg(long, value_name = "RATIO", default_value = "1", help_heading = "Data")]
    pub(crate) hosts_per_virus: f64,
    /// Share of the data that chooses the best epoch
    #[arg(long, value_name = "SHARE", default_value = "0.15", help_heading = "Data")]
    pub(crate) validation_share: f64,
    /// Share of the data that the metrics are measured on; 0 for none
    #[arg(long, value_name = "SHARE", default_value = "0.15", help_heading = "Data")]
    pub(crate) test_share: f64,
    /// Seed of the split, of the choice of hosts and of everything random in learning
    #[arg(long, value_name = "N", default_value = "1", help_heading = "Data")]
    pub(crate) seed: u64,

    /// Model whose encoders are used: a name or a directory
    #[arg(short, long, value_name = "NAME|DIR", default_value = "mini", help_heading = "Model")]
    pub(crate) model: String,
    /// Chunk length to train for [default: that of the model]
    #[arg(short, long, value_name = "BP", help_heading = "Model")]
    pub(crate) expected_length: Option<u32>,
    /// Name of the new bundle [default: that of the output directory]
    #[arg(long, help_heading = "Model")]
    pub(crate) name: Option<String>,

    /// Train both encoders too, together with the head, from records: small ones from scratch, or
    /// those of -m further (on the CPU, up to 50 million parameters)
    #[arg(
        long,
        value_name = "HOW",
        help_heading = "Model",
        conflicts_with_all = ["optimizer", "learning_rate", "epochs", "patience", "batch_size",
                              "dropout", "units", "standardise", "balanced"]
    )]
    pub(crate) encoders: Option<EncodersFrom>,
    /// A JSON file with settings of that training that differ from the defaults
    #[arg(long, value_name = "FILE", requires = "encoders", help_heading = "Model")]
    pub(crate) encoder_recipe: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) recipe: RecipeArgs,
    #[command(flatten)]
    pub(crate) device: DeviceArgs,

    /// Continue the training in the output directory
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) resume: bool,
    /// As --resume, but damaged checkpoints are renamed and computed again instead of stopping
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) force_resume: bool,
    /// Start again: delete the earlier training in the output directory
    #[arg(short, long, help_heading = "Checkpoints")]
    pub(crate) force: bool,
    /// Save at least after every N embedded ORFs: the most work that a crash can cost
    #[arg(long, value_name = "N", default_value = "8192", help_heading = "Checkpoints")]
    pub(crate) checkpoint_rows: NonZeroU64,
    /// Save at least every T seconds: the most work that a crash can cost
    #[arg(long, value_name = "T", default_value = "300", help_heading = "Checkpoints")]
    pub(crate) checkpoint_seconds: u64,
}

impl TrainArgs {
    /// What to do with a damaged checkpoint, of learning or of embedding.
    pub(crate) fn on_bad_file(&self) -> OnBadFile {
        if self.force_resume { OnBadFile::Recompute } else { OnBadFile::Refuse }
    }
}

/// The settings of learning; the defaults are the original's.
#[derive(Debug, clap::Args)]
pub(crate) struct RecipeArgs {
    /// Optimizer: sgd (with a momentum of 0.9) or adamw
    #[arg(long, default_value = "sgd", help_heading = "Learning")]
    pub(crate) optimizer: OptimizerName,
    /// Learning rate [default: 0.0002 for sgd, 0.001 for adamw]
    #[arg(long, value_name = "RATE", help_heading = "Learning")]
    pub(crate) learning_rate: Option<f64>,
    /// Largest number of epochs
    #[arg(long, value_name = "N", default_value = "200", help_heading = "Learning")]
    pub(crate) epochs: NonZeroUsize,
    /// Stop after this many epochs without a better validation loss
    #[arg(long, value_name = "N", default_value = "5", help_heading = "Learning")]
    pub(crate) patience: NonZeroUsize,
    /// ORFs per step
    #[arg(short, long, value_name = "ROWS", default_value = "32", help_heading = "Learning")]
    pub(crate) batch_size: NonZeroUsize,
    /// Share of the hidden units that are dropped in a step
    #[arg(long, value_name = "SHARE", default_value = "0.5", help_heading = "Learning")]
    pub(crate) dropout: f64,
    /// Hidden units
    #[arg(long, value_name = "N", default_value = "512", help_heading = "Learning")]
    pub(crate) units: NonZeroUsize,
    /// Scale every feature to mean 0 and deviation 1 for learning; the head accounts for the scaling
    #[arg(long, help_heading = "Learning")]
    pub(crate) standardise: bool,
    /// Draw viral and other ORFs equally often, and ORFs of large groups less often
    #[arg(long, help_heading = "Learning")]
    pub(crate) balanced: bool,
}

/// The initial values of encoders.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum EncodersFrom {
    /// Small random encoders
    Scratch,
    /// The encoders of the bundle
    FineTune,
}

/// The optimizers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum OptimizerName {
    /// Stochastic gradient descent
    Sgd,
    /// Adam with decoupled weight decay
    Adamw,
}
