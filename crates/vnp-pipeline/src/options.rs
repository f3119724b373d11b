//! The settings of a run, and what it must know about a model before one is loaded.

use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Map, Value};
use vnp_infer::{Bundle, HeadFile, Precision};
use vnp_job::parts::Trust;
use vnp_job::{Input, OnBadFile, Start};
use vnp_seq::ChunkLength;

use crate::duplicates::DuplicateIds;
use crate::publishing::Publishing;

/// What a run computes its rows for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// Scores of every row, and the tables that follow from them.
    Scores,
    /// Both embeddings of every frame, kept as parts, to learn from; the head is not run and no
    /// table is written.
    Embeddings,
}

/// Everything that [`predict`](crate::predict) is given.
#[derive(Debug)]
pub struct RunOptions {
    /// The inputs; their records follow one another.
    pub inputs: Vec<Input>,
    /// Where results and checkpoints go.
    pub output_dir: PathBuf,
    /// Refuse a BGZF input without its empty last block, which may be truncated, instead of a warning.
    pub strict_input: bool,
    /// What to do about ids that are not unique in a file.
    pub duplicate_ids: DuplicateIds,
    /// Scores or embeddings.
    pub goal: Goal,
    /// Chunk length.
    pub chunk_length: ChunkLength,
    /// New, resumed or started again.
    pub start: Start,
    /// What a bad part means.
    pub on_bad_part: OnBadFile,
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
    /// Also score the chunks without an ORF, by the model's nucleotide-only head; of no effect with
    /// [`Goal::Embeddings`].
    pub score_all: bool,
    /// Keep the embeddings after their rows are scored.
    pub keep_embeddings: bool,
    /// Which tables are published, and in which form; of no effect with [`Goal::Embeddings`].
    pub publishing: Publishing,
    /// The caller's settings, for `run.json`.
    pub settings: Map<String, Value>,
}

impl RunOptions {
    /// A new run that scores its rows, with the defaults of `vnp predict`.
    #[must_use]
    pub fn new(inputs: Vec<Input>, output_dir: PathBuf, chunk_length: ChunkLength) -> Self {
        Self {
            inputs,
            output_dir,
            strict_input: false,
            duplicate_ids: DuplicateIds::Warn,
            goal: Goal::Scores,
            chunk_length,
            start: Start::New,
            on_bad_part: OnBadFile::Refuse,
            trust: Trust::Full,
            resume_from: None,
            checkpoint_rows: NonZeroU64::MIN.saturating_add(8191),
            checkpoint_interval: Duration::from_secs(300),
            score_batch_rows: NonZeroUsize::MIN.saturating_add(4095),
            score_all: false,
            keep_embeddings: false,
            publishing: Publishing::default(),
            settings: Map::new(),
        }
    }
}

/// What a run needs to know about a model before it is loaded.
#[derive(Clone, Debug)]
pub struct ModelInfo {
    /// Name of the bundle.
    pub name: String,
    /// What the model is and is not, for `run.json`.
    pub description: String,
    /// How well it does on data that it has not seen, for `run.json`; null if its bundle does not say.
    pub held_out: Value,
    /// Its encoders; none of a head alone, which scores embeddings that were computed before.
    pub encoders: Option<EncoderDigests>,
    /// Digest of the head.
    pub head: String,
    /// Digest of the nucleotide-only head, if it has one.
    pub fallback: Option<String>,
    /// Precision of the encoders.
    pub precision: String,
    /// Width of a nucleotide embedding.
    pub nucleotide_hidden: usize,
    /// Width of a protein embedding.
    pub protein_hidden: usize,
    /// What a reader of the results should know about the use of this model, for `run.json`.
    pub warnings: Vec<String>,
}

/// The digests of both encoders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EncoderDigests {
    /// Digest of the nucleotide encoder.
    pub dnabert: String,
    /// Digest of the protein encoder.
    pub esm2: String,
}

impl ModelInfo {
    /// What a run needs to know about the model of a bundle.
    #[must_use]
    pub fn of(bundle: &Bundle, precision: Precision) -> Self {
        let (digests, provenance) = (bundle.digests(), bundle.provenance());
        let summary = provenance.get("summary").and_then(Value::as_str);
        Self {
            name: bundle.name().to_owned(),
            description: summary.unwrap_or("no summary in its provenance").to_owned(),
            held_out: provenance.get("test").cloned().unwrap_or_default(),
            encoders: Some(EncoderDigests {
                dnabert: digests.dnabert.clone(),
                esm2: digests.esm2.clone(),
            }),
            head: digests.head.clone(),
            fallback: digests.fallback.clone(),
            precision: precision.to_string(),
            nucleotide_hidden: bundle.nucleotide_hidden_size(),
            protein_hidden: bundle.protein_hidden_size(),
            warnings: Vec::new(),
        }
    }

    /// A head alone, for embeddings of these widths that an earlier run has computed.
    #[must_use]
    pub fn of_head(
        head: &HeadFile,
        precision: Precision,
        nucleotide_hidden: usize,
        protein_hidden: usize,
    ) -> Self {
        Self {
            name: "custom".to_owned(),
            description: "a head on embeddings of an earlier run".to_owned(),
            held_out: Value::Null,
            encoders: None,
            head: head.digest().to_owned(),
            fallback: None,
            precision: precision.to_string(),
            nucleotide_hidden,
            protein_hidden,
            warnings: Vec::new(),
        }
    }
}
