use std::collections::BTreeSet;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use vnp_infer::DeviceSpec;

use super::DeviceArgs;

/// `vnp predict`
#[derive(Debug, clap::Args)]
pub(crate) struct PredictArgs {
    /// FASTA or FASTQ, plain or compressed (gz, bgz, zst, by content); - for standard input
    #[arg(required = true)]
    pub(crate) input: Vec<PathBuf>,
    /// Where results and checkpoints go; by default STEM_predictions
    #[arg(short, long, value_name = "DIR")]
    pub(crate) output_dir: Option<PathBuf>,

    /// mini (embedded), 300, 500, another installed bundle, custom (with -p), or a bundle directory
    #[arg(
        short,
        long,
        visible_alias = "model-type",
        value_name = "NAME|DIR",
        default_value = "mini",
        help_heading = "Model"
    )]
    pub(crate) model: String,
    /// A head in place of the bundle's
    #[arg(short = 'p', long, value_name = "FILE", help_heading = "Model")]
    pub(crate) model_path: Option<PathBuf>,
    /// Also score chunks without an open reading frame, by their nucleotides alone: column evidence
    /// in sequences.tsv, and chunks.tsv
    #[arg(long, help_heading = "Model")]
    pub(crate) score_all: bool,
    /// Chunk length; by default the bundle's
    #[arg(short, long, value_name = "BP", help_heading = "Model")]
    pub(crate) expected_length: Option<u32>,

    #[command(flatten)]
    pub(crate) device: DeviceArgs,
    /// The GPUs that share the work, by number: 0,2
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "device",
        help_heading = "Computing"
    )]
    pub(crate) gpus: Vec<usize>,
    /// Rows that the head scores at once
    #[arg(short, long, value_name = "ROWS", default_value = "4096", help_heading = "Computing")]
    pub(crate) batch_size: NonZeroUsize,

    /// Continue the run in the output directory
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) resume: bool,
    /// As --resume, but bad parts are logged and computed again instead of stopping the run
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    pub(crate) force_resume: bool,
    /// Trust existing parts after the cheap checks (faster, riskier)
    #[arg(long, help_heading = "Checkpoints")]
    pub(crate) skip_checkpoint_validation: bool,
    /// Start clean: remove this run's earlier results and checkpoints
    #[arg(short, long, help_heading = "Checkpoints")]
    pub(crate) force: bool,
    /// Take embeddings from the output directory of a virnucpro run (.pt files), which is only read
    #[arg(long, value_name = "DIR", help_heading = "Checkpoints")]
    pub(crate) resume_from: Option<PathBuf>,
    /// Rows that a crash may cost at most
    #[arg(long, value_name = "N", default_value = "8192", help_heading = "Checkpoints")]
    pub(crate) checkpoint_rows: NonZeroU64,
    /// Seconds of work that a crash may cost at most
    #[arg(long, value_name = "T", default_value = "300", help_heading = "Checkpoints")]
    pub(crate) checkpoint_seconds: u64,
    /// Keep the embeddings after their rows are scored
    #[arg(long, help_heading = "Checkpoints")]
    pub(crate) keep_embeddings: bool,
    /// Also write the frames as nucleotide and protein FASTA
    #[arg(short, long, help_heading = "Checkpoints")]
    pub(crate) keep_intermediate: bool,

    #[command(flatten)]
    pub(crate) pytorch: PyTorchArgs,
}

impl PredictArgs {
    /// The devices that are asked for, each once.
    pub(crate) fn devices(&self) -> Vec<DeviceSpec> {
        if self.gpus.is_empty() {
            return vec![self.device.device];
        }
        let gpus: BTreeSet<usize> = self.gpus.iter().copied().collect();
        gpus.into_iter().map(DeviceSpec::Cuda).collect()
    }
}

/// Flags of the Python tools that tune PyTorch. They are accepted so that old scripts run on.
#[derive(Debug, clap::Args)]
pub(crate) struct PyTorchArgs {
    #[arg(long, hide = true)]
    pub(crate) parallel: bool,
    #[arg(long, hide = true, value_name = "N")]
    pub(crate) num_workers: Option<u32>,
    #[arg(long, hide = true)]
    pub(crate) persistent_models: bool,
    #[arg(long, hide = true)]
    pub(crate) no_persistent_models: bool,
    #[arg(long, hide = true)]
    pub(crate) cuda_streams: bool,
    #[arg(long, hide = true)]
    pub(crate) no_cuda_streams: bool,
    #[arg(long, hide = true)]
    pub(crate) v1_fallback: bool,
}

impl PyTorchArgs {
    /// Those that were given, with the reason why nothing comes of them.
    pub(crate) fn without_effect(&self) -> Vec<(&'static str, &'static str)> {
        [
            (self.parallel, "--parallel", "sequences are always computed in parallel"),
            (self.num_workers.is_some(), "--num-workers", "choose the threads with --threads"),
            (self.persistent_models, "--persistent-models", "each model is loaded once"),
            (self.no_persistent_models, "--no-persistent-models", "each model is loaded once"),
            (self.cuda_streams, "--cuda-streams", "streams are the device's own affair"),
            (self.no_cuda_streams, "--no-cuda-streams", "streams are the device's own affair"),
            (self.v1_fallback, "--v1-fallback", "there is one pipeline only"),
        ]
        .into_iter()
        .filter_map(|(given, flag, reason)| given.then_some((flag, reason)))
        .collect()
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use crate::args::{Args, Command};

    #[track_caller]
    fn check(words: &[&str], expected: Option<&str>) {
        let words = ["vnp", "predict", "in.fa"].iter().chain(words);
        let devices = Args::try_parse_from(words).ok().map(|args| {
            let Command::Predict(args) = args.command else { panic!("another command") };
            let devices: Vec<String> = args.devices().iter().map(ToString::to_string).collect();
            devices.join(" ")
        });
        assert_eq!(devices.as_deref(), expected);
    }

    #[test]
    fn devices_are_named_one_by_one_or_together() {
        check(&[], Some("auto"));
        check(&["--device", "cpu"], Some("cpu"));
        check(&["-d", "1"], Some("cuda:1"));
        check(&["--gpus", "0"], Some("cuda:0"));
        check(&["--gpus", "2,0,2"], Some("cuda:0 cuda:2"));
        check(&["--gpus", ""], None);
        check(&["--gpus", "0,x"], None);
        check(&["--gpus", "0", "-d", "cpu"], None);
    }
}
