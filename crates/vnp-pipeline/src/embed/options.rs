//! The settings of a run that embeds records, and what it must know about its encoder.

use std::num::NonZeroU64;
use std::path::PathBuf;
use std::time::Duration;

use vnp_infer::Encoder;
use vnp_job::{OnBadFile, Start};

/// Everything that [`embed`](crate::embed::embed) is given, apart from the input and the encoder.
#[derive(Debug)]
pub struct EmbedOptions {
    /// The file to write; its extension decides on its format. Parts lie in a directory next to it, of its
    /// name and `.parts`.
    pub output: PathBuf,
    /// How records are read.
    pub reading: RecordReading,
    /// New, resumed or started again.
    pub start: Start,
    /// What a bad part means.
    pub on_bad_part: OnBadFile,
    /// Rows per part: what a crash may cost at most.
    pub checkpoint_rows: NonZeroU64,
    /// Time between saved parts: what a crash may cost at most.
    pub checkpoint_interval: Duration,
}

/// How records are read, which follows from the encoder.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordReading {
    /// As nucleotides, for DNABERT-S: U is read as T, and a record with another letter fails.
    Nucleotides,
    /// As proteins, for ESM-2: a final `*` is dropped.
    Proteins(UnknownResidues),
}

/// What to do with letters outside the alphabet of ESM-2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnknownResidues {
    /// Refuse the input before anything is computed.
    Refuse,
    /// Read them as `<unk>`.
    Mask,
}

/// What a run needs to know about an encoder before it is loaded.
#[derive(Clone, Debug)]
pub struct EncoderInfo {
    /// Its name: `esm2`, `dnabert-s`.
    pub name: String,
    /// The digest of its files.
    pub digest: String,
    /// The number of values in an embedding.
    pub hidden_size: usize,
    /// The precision that it computes in.
    pub precision: String,
}

/// Loads the encoder, once something is to be computed; also gives the name of its device.
pub type LoadEncoder<'a> =
    dyn FnOnce() -> Result<(Box<dyn Encoder>, String), vnp_infer::Error> + 'a;
