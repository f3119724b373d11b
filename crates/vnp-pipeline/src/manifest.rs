use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::error::Error;
use crate::identity::Identity;
use crate::results::{Output, ResultDigest};

/// `run.json`: what a finished run was made of and what it published.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) producer: String,
    pub(crate) checkpoint_version: String,
    pub(crate) identity: Identity,
    pub(crate) model: ModelRecord,
    pub(crate) settings: Map<String, Value>,
    /// Rows scored per device, over all sessions.
    pub(crate) devices: BTreeMap<String, u64>,
    pub(crate) counts: Counts,
    pub(crate) session: Session,
    /// Each published file with what it must be.
    pub(crate) results: BTreeMap<String, ResultDigest>,
}

/// The model, in words.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct ModelRecord {
    pub(crate) name: String,
    pub(crate) description: String,
    /// How well it does on data that it has not seen, as its bundle says.
    pub(crate) held_out: Value,
}

/// Totals of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Records of the input.
    pub records: u64,
    /// Their bases.
    pub bases: u64,
    /// Chunks cut from them.
    pub chunks: u64,
    /// Chunks with at least one scored frame.
    pub chunks_scored: u64,
    /// Stop-free frames: rows.
    pub rows: u64,
    /// Rows that could not be computed.
    pub rows_failed: u64,
    /// Records with a virus score of at least 0.5.
    pub records_viral: u64,
    /// Records without a stop-free frame.
    pub records_no_open_frame: u64,
    /// Records shorter than one codon.
    pub records_too_short: u64,
    /// Records without a sequence.
    pub records_empty: u64,
    /// Records that failed, or of which a row failed.
    pub records_failed: u64,
    /// What chunks without an open frame add; only in a run that scores all chunks.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dna_only: Option<DnaOnlyCounts>,
}

/// Totals of what was scored by its nucleotides alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DnaOnlyCounts {
    /// Chunks that stops close: rows.
    pub rows: u64,
    /// Rows that could not be computed.
    pub rows_failed: u64,
    /// Rows that are viral.
    pub chunks_viral: u64,
    /// Records without an open frame that have a score by them.
    pub records_scored: u64,
    /// Of those, the ones with a virus score of at least 0.5.
    pub records_viral: u64,
}

/// What the session that published did itself.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Session {
    pub(crate) started: String,
    pub(crate) finished: String,
    /// The devices that computed.
    #[serde(default)]
    pub(crate) devices: Vec<String>,
    /// Rows computed per stage; the others were there already.
    pub(crate) rows_computed: BTreeMap<String, u64>,
    /// Seconds per stage, over all devices, and for the rest of the run;
    /// `to_first_batch` from the start to the first embeddings.
    pub(crate) seconds: BTreeMap<String, f64>,
    /// Tokens a second of each encoder while it was at work, on one device; see
    /// [`Workload`](crate::Workload) for how they are counted.
    #[serde(default)]
    pub(crate) tokens_per_second: BTreeMap<String, f64>,
    /// The largest resident size of the process, where the system tells.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) peak_memory_bytes: Option<u64>,
}

impl Manifest {
    /// The manifest in a directory; nothing if there is none or it cannot be understood, for it
    /// is written anew from the parts in either case.
    pub(crate) fn read(path: &Path) -> Option<Self> {
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
                log::warn!("{} is damaged ({error}): it is written anew", path.display());
            })
            .ok()
    }

    /// Whether every published file in `dir` is what it was when it was published.
    pub(crate) fn results_are_intact(&self, dir: &Path) -> bool {
        self.results.iter().all(|(name, published)| {
            match ResultDigest::of_file(&dir.join(name), published.rows) {
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

    pub(crate) fn publish(&self, path: &Path) -> Result<(), Error> {
        let mut output = Output::create(path.to_owned())?;
        let text = serde_json::to_string_pretty(self).map_err(std::io::Error::other)?;
        output.line(&text)?;
        output.finish()?.publish()?;
        Ok(())
    }
}
