//! `run.json`: the record of a finished run.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use vnp_escape::{escaped_path, shown};

use super::identity::Identity;
use crate::error::Error;
use crate::publish::{FileDigest, text};

/// The name of a run's record.
pub const RUN_JSON: &str = "run.json";

/// `run.json`: what a finished run was computed from and what it published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Manifest {
    /// Name and version of the program.
    pub producer: String,
    /// The version of its checkpoints.
    pub checkpoint_version: String,
    /// What the results depend on.
    pub identity: Identity,
    /// Whether an input may be truncated; written only if it may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub input_maybe_truncated: bool,
    /// The inputs' names in the column `input` of the tables; none in a run of one input.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<String>,
    /// Whether ids are numbered in the tables, because they are not unique.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub numbered_ids: bool,
    /// How the results were published: tables are a function of it and of the parts. Null in a record
    /// of an earlier version.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub publishing: Value,
    /// What a reader of the results should know; written only if there is something.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
    /// The model.
    pub model: ModelRecord,
    /// The caller's settings.
    pub settings: Map<String, Value>,
    /// Rows scored per device, over all sessions.
    pub devices: BTreeMap<String, u64>,
    /// Totals.
    pub counts: Counts,
    /// The session that published.
    pub session: Session,
    /// Each published file with what it must be.
    pub results: BTreeMap<String, FileDigest>,
}

/// The model, in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ModelRecord {
    /// Name of the bundle.
    pub name: String,
    /// What the model is and is not.
    pub description: String,
    /// How well it does on data that it has not seen, according to its bundle.
    pub held_out: Value,
}

/// Totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records of the input.
    pub records: u64,
    /// Records whose id an earlier record of the same file has.
    #[serde(default)]
    pub records_with_duplicate_id: u64,
    /// The bases of all records.
    pub bases: u64,
    /// Chunks cut from them.
    pub chunks: u64,
    /// Chunks with at least one scored frame.
    pub chunks_scored: u64,
    /// Frames without a stop codon (ORFs): rows.
    pub rows: u64,
    /// Rows that could not be computed.
    pub rows_failed: u64,
    /// Records with a virus score of at least 0.5.
    pub records_viral: u64,
    /// Records without an ORF.
    pub records_no_open_frame: u64,
    /// Records shorter than one codon.
    pub records_too_short: u64,
    /// Records without a sequence.
    pub records_empty: u64,
    /// Records that failed, or of which a row failed.
    pub records_failed: u64,
    /// What chunks without an ORF add; only in a run that scores all chunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dna_only: Option<DnaOnlyCounts>,
}

/// Totals of what was scored by its nucleotides alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnaOnlyCounts {
    /// Chunks without an ORF: rows.
    pub rows: u64,
    /// Rows that could not be computed.
    pub rows_failed: u64,
    /// Rows that are viral.
    pub chunks_viral: u64,
    /// Records without an ORF that have a score by them.
    pub records_scored: u64,
    /// Of those, the ones with a virus score of at least 0.5.
    pub records_viral: u64,
}

/// What the session that published did itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Session {
    /// When it began.
    pub started: String,
    /// When it published.
    pub finished: String,
    /// The devices that computed.
    #[serde(default)]
    pub devices: Vec<String>,
    /// Rows computed per stage; the others were there already.
    pub rows_computed: BTreeMap<String, u64>,
    /// Seconds per stage, over all devices, and for the rest of the run;
    /// `to_first_batch` from the start to the first embeddings.
    pub seconds: BTreeMap<String, f64>,
    /// Tokens per second of each encoder while it was at work, on one device, as estimated.
    #[serde(default)]
    pub tokens_per_second: BTreeMap<String, f64>,
    /// The largest resident size of the process, where the system reports it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak_memory_bytes: Option<u64>,
}

impl Manifest {
    /// Whether a file is a record of a run, also of an earlier version: other tools write a file of the
    /// same name. None if it is damaged, or absent.
    #[must_use]
    pub fn is_at(path: &Path) -> Option<bool> {
        let record: serde_json::Value = serde_json::from_slice(&fs_err::read(path).ok()?).ok()?;
        let has = |field: &str| record.pointer(&format!("/identity/{field}")).is_some();
        Some(["input", "chunk_length", "precision"].into_iter().all(has))
    }

    /// The manifest at `path`; none if it is absent or cannot be understood, for it is written anew
    /// from the parts in either case.
    #[must_use]
    pub fn read(path: &Path) -> Option<Self> {
        let text = match fs_err::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return None,
            Err(error) => {
                log::warn!("{error}: the results are written anew");
                return None;
            }
        };
        serde_json::from_slice(&text)
            .inspect_err(|error| {
                log::warn!("{} is damaged ({error}): it is written anew", escaped_path(path));
            })
            .ok()
    }

    /// Whether every published file in `dir` is what it was when it was published.
    #[must_use]
    pub fn results_are_intact(&self, dir: &Path) -> bool {
        self.results.iter().all(|(name, published)| {
            let path = dir.join(name);
            // Whoever wrote this record may have named anything, also what has no end.
            let is_here = Path::new(name).file_name() == Some(name.as_ref());
            if !is_here || path.metadata().is_ok_and(|found| !found.is_file()) {
                log::warn!(
                    "{} is not a file of this directory: the results are written anew",
                    shown(name)
                );
                return false;
            }
            match FileDigest::of_file(&path, published.rows) {
                Ok(now) if now == *published => true,
                Ok(_) => {
                    log::warn!("{name} was changed since it was published: it is written anew");
                    false
                }
                Err(error) => {
                    log::warn!("{error}: the results are written anew");
                    false
                }
            }
        })
    }

    /// Publishes the manifest at `path`.
    ///
    /// # Errors
    /// [`Error::Io`]
    pub fn publish(&self, path: &Path) -> Result<(), Error> {
        let json = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        text(path, &(json + "\n")).map(drop)
    }
}
