//! The arguments of `vnp predict`, and the settings that it records in `run.json`.

use std::collections::BTreeSet;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use vnp_infer::DeviceSpec;

use super::device::DeviceArgs;
use super::input::DuplicateIdsArg;
use super::tables::TableArgs;

/// `vnp predict`. What is serialized is what `run.json` records as settings; none of it is part of
/// the run's identity.
#[derive(Debug, clap::Args, Serialize)]
pub(crate) struct PredictArgs {
    /// FASTA or FASTQ files, plain or compressed (gzip, bgzip, bzip2, xz, zstd); - for standard input
    #[arg(required = true)]
    #[serde(rename = "inputs", serialize_with = "path_texts")]
    pub(crate) input: Vec<PathBuf>,
    /// Directory for results and checkpoints [default: INPUT_predictions]
    #[arg(short, long, value_name = "DIR")]
    #[serde(skip)]
    pub(crate) output_dir: Option<PathBuf>,
    /// Refuse a bgzip file without its end mark, which may be truncated (default: warn)
    #[arg(long)]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) strict_input: bool,
    /// What to do about equal ids in one file: warn, refuse the input, or number them in the tables
    #[arg(long, value_name = "WHAT", default_value = "warn")]
    pub(crate) duplicate_ids: DuplicateIdsArg,

    /// Model: mini (built in), the name of an installed model (300 and 500, once imported with vnp
    /// models import), custom (your own head, with -p), or a model directory
    #[arg(
        short,
        long,
        visible_alias = "model-type",
        value_name = "NAME|DIR",
        default_value = "mini",
        help_heading = "Model"
    )]
    pub(crate) model: String,
    /// Head (classifier) to use in place of the model's: PyTorch, safetensors or .vnp
    #[arg(short = 'p', long, value_name = "FILE", help_heading = "Model")]
    #[serde(serialize_with = "path_text")]
    pub(crate) model_path: Option<PathBuf>,
    /// Also score chunks without an ORF, by their nucleotides alone (weaker evidence); adds the
    /// column evidence to sequences.tsv
    #[arg(long, help_heading = "Model")]
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub(crate) score_all: bool,
    /// Length of the chunks that sequences are cut into [default: that of the model]
    #[arg(short, long, value_name = "BP", help_heading = "Model")]
    pub(crate) expected_length: Option<u32>,

    #[command(flatten)]
    #[serde(flatten)]
    pub(crate) device: DeviceArgs,
    /// Numbers of the GPUs to use, for example 0,2
    #[arg(
        long,
        value_name = "LIST",
        value_delimiter = ',',
        conflicts_with = "device",
        help_heading = "Computing"
    )]
    #[serde(skip)]
    pub(crate) gpus: Vec<usize>,
    /// ORFs that the head scores at once
    #[arg(short, long, value_name = "ROWS", default_value = "4096", help_heading = "Computing")]
    pub(crate) batch_size: NonZeroUsize,

    /// Continue the run in the output directory
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    #[serde(skip)]
    pub(crate) resume: bool,
    /// As --resume, but damaged checkpoints are renamed and computed again instead of stopping
    #[arg(long, conflicts_with = "force", help_heading = "Checkpoints")]
    #[serde(skip)]
    pub(crate) force_resume: bool,
    /// With --resume, check only the headers of existing checkpoints (faster, less safe)
    #[arg(long, help_heading = "Checkpoints")]
    pub(crate) skip_checkpoint_validation: bool,
    /// Start again: delete earlier results and checkpoints in the output directory
    #[arg(short, long, help_heading = "Checkpoints")]
    #[serde(skip)]
    pub(crate) force: bool,
    /// Reuse the embeddings (.pt files) in the output directory of a Python VirNucPro run
    #[arg(long, value_name = "DIR", help_heading = "Checkpoints")]
    #[serde(serialize_with = "path_text")]
    pub(crate) resume_from: Option<PathBuf>,
    /// Save at least after every N ORFs: the most work that a crash can cost
    #[arg(long, value_name = "N", default_value = "8192", help_heading = "Checkpoints")]
    pub(crate) checkpoint_rows: NonZeroU64,
    /// Save at least every T seconds: the most work that a crash can cost
    #[arg(long, value_name = "T", default_value = "300", help_heading = "Checkpoints")]
    pub(crate) checkpoint_seconds: u64,
    /// Keep the embeddings after scoring (uses much disk space)
    #[arg(long, help_heading = "Checkpoints")]
    pub(crate) keep_embeddings: bool,

    #[command(flatten)]
    #[serde(skip)]
    pub(crate) tables: TableArgs,

    #[command(flatten)]
    #[serde(skip)]
    pub(crate) pytorch: PyTorchArgs,
}

impl PredictArgs {
    /// The requested devices, each once.
    pub(crate) fn devices(&self) -> Vec<DeviceSpec> {
        if self.gpus.is_empty() {
            return vec![self.device.device];
        }
        let gpus: BTreeSet<usize> = self.gpus.iter().copied().collect();
        gpus.into_iter().map(DeviceSpec::Cuda).collect()
    }

    /// The settings for `run.json`.
    pub(crate) fn settings(&self) -> serde_json::Result<Map<String, Value>> {
        let mut settings: Map<_, _> = serde_json::from_value(serde_json::to_value(self)?)?;
        let devices: Vec<String> = self.devices().iter().map(ToString::to_string).collect();
        settings.insert("device".to_owned(), devices.join(",").into());
        settings.insert("threads".to_owned(), rayon::current_num_threads().into());
        Ok(settings)
    }
}

/// A path that is not valid Unicode has a text too.
fn path_text<S: Serializer>(path: &Option<PathBuf>, serializer: S) -> Result<S::Ok, S::Error> {
    path.as_ref().map(|path| path.to_string_lossy()).serialize(serializer)
}

fn path_texts<S: Serializer>(paths: &[PathBuf], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(paths.iter().map(|path| path.to_string_lossy()))
}

/// Flags of the Python tools that tune PyTorch. They are accepted so that old scripts still work.
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
    /// The flags that were given, each with the reason why it has no effect.
    pub(crate) fn without_effect(&self) -> Vec<(&'static str, &'static str)> {
        [
            (self.parallel, "--parallel", "sequences are always computed in parallel"),
            (self.num_workers.is_some(), "--num-workers", "choose the threads with --threads"),
            (self.persistent_models, "--persistent-models", "each model is loaded once"),
            (self.no_persistent_models, "--no-persistent-models", "each model is loaded once"),
            (self.cuda_streams, "--cuda-streams", "streams are managed by the device"),
            (self.no_cuda_streams, "--no-cuda-streams", "streams are managed by the device"),
            (self.v1_fallback, "--v1-fallback", "there is only one pipeline"),
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
    fn settings_are_recorded_under_their_flags() {
        let words = ["vnp", "predict", "a.fa", "-", "-o", "out", "-p", "head.pth", "-d", "1", "-f"];
        let args = Args::try_parse_from(words).unwrap();
        let Command::Predict(mut args) = args.command else { panic!("another command") };
        let mut expected = serde_json::json!({
            "inputs": ["a.fa", "-"],
            "duplicate_ids": "warn",
            "model": "mini",
            "model_path": "head.pth",
            "expected_length": null,
            "device": "cuda:1",
            "precision": "f32",
            "threads": rayon::current_num_threads(),
            "esm_batch_size": 16384,
            "dnabert_batch_size": 16384,
            "batch_size": 4096,
            "checkpoint_rows": 8192,
            "checkpoint_seconds": 300,
            "keep_embeddings": false,
            "resume_from": null,
            "skip_checkpoint_validation": false,
        });
        assert_eq!(serde_json::Value::Object(args.settings().unwrap()), expected);
        args.score_all = true;
        expected["score_all"] = true.into();
        assert_eq!(serde_json::Value::Object(args.settings().unwrap()), expected);
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
