//! The error of this crate, from a model's files to an embedding.

use std::path::PathBuf;

use vnp_escape::{escaped, escaped_path, listed, sentence, shown};

use crate::precision::Precision;

pub(crate) mod weights;
mod words;
mod wrap;

use weights::WeightsError;
use words::{directories, meant, of_shape};

/// The error of this crate. Every variant says what was expected, what was found and where.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// A file could not be read or written; the message names it.
    #[error("{}", escaped(cause))]
    Io {
        /// The failure, with the path in its message.
        cause: std::io::Error,
    },
    /// The computation was given up, as its caller asked.
    #[error("the computation was interrupted")]
    Interrupted,
    /// A JSON file could not be understood.
    #[error(
        "{file} is not the JSON expected: {cause}",
        file = escaped(file), cause = sentence(cause)
    )]
    Json {
        /// The file.
        file: String,
        /// Where and why parsing stopped.
        cause: serde_json::Error,
    },
    /// A file or its weights are not what they should be.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A PyTorch file could not be read.
    #[error(transparent)]
    Checkpoint(#[from] vnp_ckpt::Error),
    /// An index of sharded weights names a file elsewhere.
    #[error(
        "{index} names the file `{file}`: expected the name of a file next to it",
        index = escaped(index), file = shown(file)
    )]
    ShardName {
        /// The index.
        index: String,
        /// The file that it names.
        file: String,
    },
    /// A config holds a value that this crate cannot run.
    #[error(
        "{file}: {field} is {found}, expected {expected}",
        file = escaped(file), found = sentence(found), expected = sentence(expected)
    )]
    Config {
        /// The file.
        file: String,
        /// The field.
        field: &'static str,
        /// The values that it may have.
        expected: String,
        /// The value that it has.
        found: String,
    },
    /// A model that has a head and no encoders was asked to embed sequences.
    #[error(
        "{sequences} sequences need the {name} encoder, and the model is a head alone: give a bundle with encoders"
    )]
    NoEncoder {
        /// The encoder.
        name: &'static str,
        /// The number of sequences.
        sequences: usize,
    },
    /// A tokenizer file could not be used.
    #[error(
        "{file} is not a usable tokenizer: {cause}",
        file = escaped(file), cause = sentence(cause)
    )]
    Tokenizer {
        /// The file.
        file: String,
        /// The tokenizer library's reason.
        cause: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A tokenizer knows more tokens than the network has embeddings for.
    #[error(
        "{file} has {found} tokens, but the network's vocabulary is {expected}",
        file = escaped(file)
    )]
    Vocabulary {
        /// The tokenizer file.
        file: String,
        /// The vocabulary size in the network's config.
        expected: usize,
        /// The tokenizer's size.
        found: usize,
    },
    /// A weights file is not a whole safetensors file.
    #[error(
        "{file} is not a whole safetensors file: {reason}",
        file = escaped(file), reason = sentence(reason)
    )]
    NotSafetensors {
        /// The file.
        file: String,
        /// The reason.
        reason: String,
    },
    /// A file of weights is of a kind that this crate does not read.
    #[error(
        "{} is not a file of weights: its first bytes are those of neither safetensors, PyTorch, a \
         .vnp checkpoint nor an index of several such files",
        escaped_path(path)
    )]
    WeightsFormat {
        /// The file.
        path: PathBuf,
    },
    /// A directory holds no file of weights.
    #[error(
        "{} holds none of model.safetensors, model.safetensors.index.json, pytorch_model.bin, \
         pytorch_model.bin.index.json and a .pt of fair-esm{}",
        escaped_path(directory),
        meant(nearby, "such files are in")
    )]
    NoWeights {
        /// The directory.
        directory: PathBuf,
        /// Directories below or above it that hold some.
        nearby: Vec<PathBuf>,
    },
    /// A directory is not a bundle.
    #[error(
        "{} is not a model: it has no bundle.json{}",
        escaped_path(directory),
        meant(nearby, "there is one in")
    )]
    NotABundle {
        /// The directory.
        directory: PathBuf,
        /// Directories below or above it that are one.
        nearby: Vec<PathBuf>,
    },
    /// A clone of a repository holds a git-lfs pointer instead of the file.
    #[error(
        "{} is not the file but a pointer of git-lfs to it: run `git lfs pull` in that clone, or \
         download the file itself",
        escaped_path(path)
    )]
    LfsPointer {
        /// The file.
        path: PathBuf,
    },
    /// A directory holds several networks of fair-esm.
    #[error("{} holds several networks: give one of {}", escaped_path(directory), listed(names.iter().map(shown), 8, ", "))]
    AmbiguousWeights {
        /// The directory.
        directory: PathBuf,
        /// The files.
        names: Vec<String>,
    },
    /// A tensor that the config asks for is missing.
    #[error(
        "{file} has no tensor {name}{}",
        of_shape(expected), file = escaped(file), name = shown(name)
    )]
    MissingTensor {
        /// The weights file.
        file: String,
        /// The tensor's name.
        name: String,
        /// The shape the config asks for.
        expected: Vec<usize>,
    },
    /// A tensor has another shape than the config asks for.
    #[error(
        "{file}: tensor {name} has shape {found:?}, expected {expected:?}",
        file = escaped(file), name = shown(name)
    )]
    TensorShape {
        /// The weights file.
        file: String,
        /// The tensor's name.
        name: String,
        /// The shape the config asks for.
        expected: Vec<usize>,
        /// The shape in the file.
        found: Vec<usize>,
    },
    /// A tensor has a data type other than a float of 16 or 32 bits, or of 64 in a file that is imported.
    #[error(
        "{file}: tensor {name} is {found}, expected F32, F16 or BF16",
        file = escaped(file), name = shown(name), found = sentence(found)
    )]
    TensorDtype {
        /// The weights file.
        file: String,
        /// The tensor's name.
        name: String,
        /// The data type in the file.
        found: String,
    },
    /// Tensors that the network does not use and that are not known to be unused.
    #[error(
        "{file} holds tensors that belong to no part of this network: {}",
        listed(names.iter().map(shown), 8, ", "), file = escaped(file)
    )]
    SurplusTensors {
        /// The weights file.
        file: String,
        /// Their names.
        names: Vec<String>,
    },
    /// The layers of a checkpoint disagree on the rotary frequencies.
    #[error(
        "{file}: {name} differs from the other layers' inverse frequencies",
        file = escaped(file), name = shown(name)
    )]
    RotaryMismatch {
        /// The weights file.
        file: String,
        /// The first tensor that differs.
        name: String,
    },
    /// A bundle written by a later version.
    #[error(
        "{file}: bundle format {found} is newer than {current}, which this vnp reads: upgrade vnp",
        file = escaped(file)
    )]
    BundleTooNew {
        /// The bundle's manifest.
        file: String,
        /// The format found.
        found: u64,
        /// The newest format that this version reads.
        current: u64,
    },
    /// A bundle's content differs from its manifest.
    #[error(
        "{file}: digest {found} is not the {expected} of bundle.json: import the bundle again",
        file = escaped(file), found = sentence(found), expected = sentence(expected)
    )]
    BundleDigest {
        /// The file or folder whose digest differs.
        file: String,
        /// The digest in bundle.json.
        expected: String,
        /// The digest of the content.
        found: String,
    },
    /// No bundle of that name.
    #[error(
        "no model {name}: it is neither mini nor a bundle directory, nor in {}: `vnp models import` makes \
         a model of published weights",
        directories(searched), name = shown(name)
    )]
    UnknownBundle {
        /// The name that was asked for.
        name: String,
        /// The directories that were searched.
        searched: Vec<PathBuf>,
    },
    /// The directory to write exists already.
    #[error("{} exists already: name another directory or remove it", escaped_path(path))]
    OutputExists {
        /// The directory.
        path: PathBuf,
    },
    /// The head does not fit the encoders.
    #[error(
        "{file}: the head takes {found} features, but the encoders give {nucleotide} + {protein}",
        file = escaped(file)
    )]
    HeadSize {
        /// The head's file.
        file: String,
        /// The head's number of inputs.
        found: usize,
        /// The nucleotide encoder's hidden size.
        nucleotide: usize,
        /// The protein encoder's hidden size.
        protein: usize,
    },
    /// The fallback head does not fit the nucleotide encoder.
    #[error(
        "{file}: the fallback head takes {found} features, but the nucleotide encoder gives {nucleotide}",
        file = escaped(file)
    )]
    FallbackSize {
        /// The fallback head's file.
        file: String,
        /// Its number of inputs.
        found: usize,
        /// The nucleotide encoder's hidden size.
        nucleotide: usize,
    },
    /// Embeddings of the wrong size were given to the head.
    #[error("{what} holds {found} values, which is not rows of {width}")]
    EmbeddingSize {
        /// Which of the two embeddings.
        what: &'static str,
        /// The number of values.
        found: usize,
        /// The hidden size expected.
        width: usize,
    },
    /// The two embeddings have different numbers of rows.
    #[error("{nucleotide} rows of nucleotide embeddings, but {protein} of protein embeddings")]
    RowCount {
        /// Rows of nucleotide embeddings.
        nucleotide: usize,
        /// Rows of protein embeddings.
        protein: usize,
    },
    /// Text that does not name a device.
    #[error("\"{text}\" is not a device: use auto, cpu, cuda or cuda:N", text = shown(text))]
    UnknownDevice {
        /// The text.
        text: String,
    },
    /// Text that does not name a precision.
    #[error("\"{text}\" is not a precision: use f32, bf16 or f16", text = shown(text))]
    UnknownPrecision {
        /// The text.
        text: String,
    },
    /// A CUDA device was asked of a build without CUDA.
    #[error(
        "device cuda:{ordinal}: this build has no CUDA: use cpu, or a vnp built with its cuda feature"
    )]
    NoCuda {
        /// The device asked for.
        ordinal: usize,
    },
    /// A CUDA device could not be opened.
    #[error("device cuda:{ordinal} cannot be used: {cause}", cause = sentence(cause))]
    Device {
        /// The device asked for.
        ordinal: usize,
        /// The driver's reason.
        cause: Box<candle_core::Error>,
    },
    /// A device's memory is too small for one sequence.
    #[error(
        "{device} has no memory for a sequence of {tokens} tokens: use a device with more, \
         --precision bf16, or --device cpu",
        device = shown(device)
    )]
    OutOfMemory {
        /// The device.
        device: String,
        /// The tokens of the sequence.
        tokens: usize,
    },
    /// A precision that the device does not compute in.
    #[error("precision {precision} is not available on {device}: use f32")]
    Precision {
        /// The precision asked for.
        precision: Precision,
        /// The device.
        device: &'static str,
    },
    /// A computation failed.
    #[error("{what} failed: {cause}", what = sentence(what), cause = sentence(cause))]
    Compute {
        /// The computation.
        what: String,
        /// The reason.
        cause: Box<candle_core::Error>,
    },
    /// A kernel of the CPU was called with slices that do not fit: a defect of this crate.
    #[error("computing on the CPU: {cause}", cause = sentence(cause))]
    Kernel {
        /// The reason.
        cause: vnp_kernels::Error,
    },
}

impl From<std::io::Error> for Error {
    fn from(cause: std::io::Error) -> Self {
        Self::Io { cause }
    }
}
