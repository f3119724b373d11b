use std::fmt;
use std::io::Read;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use vnp_seq::ChunkLength;

/// One input of a run.
pub enum Input {
    /// A FASTA or FASTQ file, plain or compressed.
    File(PathBuf),
    /// A stream that can be read once, such as standard input: it is spooled below the output
    /// directory first, because a run reads its input more than once.
    Stream(Box<dyn Read + Send>),
}

impl fmt::Debug for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File(path) => f.debug_tuple("File").field(path).finish(),
            Self::Stream(_) => f.write_str("Stream"),
        }
    }
}

/// What to do with an output directory that exists.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// Refuse it.
    New,
    /// Continue the run in it, or start one where there is none.
    Resume,
    /// Remove the run's earlier results and checkpoints and start again.
    Again,
}

/// What to do when a part of an earlier session is bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBadPart {
    /// Stop before anything is computed.
    Refuse,
    /// Log it, set it aside as `*.vnp.bad` and compute its rows again.
    Recompute,
}

/// How closely existing parts are looked at before they are trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// Every level: digests, keys, shapes, finite values.
    Full,
    /// Size, container and header only; a bad payload is found when it is used.
    Cheap,
}

/// Everything that [`predict`](crate::predict) is told.
#[derive(Debug)]
pub struct RunOptions {
    /// The inputs; their records follow one another.
    pub inputs: Vec<Input>,
    /// Where results and checkpoints go.
    pub output_dir: PathBuf,
    /// Chunk length.
    pub chunk_length: ChunkLength,
    /// New, resumed or started again.
    pub start: Start,
    /// What a bad part means.
    pub on_bad_part: OnBadPart,
    /// How far existing parts are validated.
    pub trust: Trust,
    /// The output directory of a run of the Python tools, to take embeddings from; it is only
    /// read.
    pub resume_from: Option<PathBuf>,
    /// Rows per window: what a crash may cost at most.
    pub checkpoint_rows: NonZeroU64,
    /// Time between saved parts: what a crash may cost at most.
    pub checkpoint_interval: Duration,
    /// Rows that the head scores at once.
    pub score_batch_rows: NonZeroUsize,
    /// Also score the chunks without an open frame, by the model's fallback head.
    pub score_all: bool,
    /// Keep the embeddings after their rows are scored.
    pub keep_embeddings: bool,
    /// Also write the frames as FASTA.
    pub keep_frames: bool,
    /// The caller's settings, for `run.json`.
    pub settings: Map<String, Value>,
}

/// What the run must know of a model before it is loaded.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// Name of the bundle.
    pub name: String,
    /// What the model is and is not, for `run.json`.
    pub description: String,
    /// How well it does on data that it has not seen, for `run.json`; null if nobody says.
    pub held_out: Value,
    /// Digest of the nucleotide encoder.
    pub dnabert: String,
    /// Digest of the protein encoder.
    pub esm2: String,
    /// Digest of the head.
    pub head: String,
    /// Digest of the fallback head, if it has one.
    pub fallback: Option<String>,
    /// Precision of the encoders.
    pub precision: String,
    /// Whether it has encoders; a head alone can score embeddings that are there already.
    pub has_encoders: bool,
    /// Width of a nucleotide embedding.
    pub nucleotide_hidden: usize,
    /// Width of a protein embedding.
    pub protein_hidden: usize,
}
