//! What is to be published, and what was.

use std::collections::BTreeMap;

use serde_json::Value;
use vnp_calls::ContigSummary;
use vnp_job::parts::{Counts, Track};
use vnp_job::publish::FileDigest;

use super::accounting::Accounting;
use crate::publishing::Publishing;
use crate::results::RecordNames;
use crate::survey::Survey;

/// What was published.
#[derive(Debug)]
pub(crate) struct Published {
    pub(crate) counts: Counts,
    /// Whether an input may be truncated.
    pub(crate) maybe_truncated: bool,
    pub(crate) results: BTreeMap<String, FileDigest>,
    /// How they were published, as `run.json` records it.
    pub(crate) publishing: Value,
    /// What `summary.json` has beyond that; none of a run whose goal are embeddings.
    pub(crate) totals: Option<Totals>,
}

/// What the tables add up to.
#[derive(Debug)]
pub(crate) struct Totals {
    pub(crate) accounting: Accounting,
    /// The contigs, if they are called.
    pub(crate) contigs: Option<ContigSummary>,
}

/// What the tables hold, and in which form.
pub(crate) struct Tables<'a> {
    /// The tracks with a table.
    pub(crate) tracks: &'static [Track],
    /// Which tables, and in which form.
    pub(crate) publishing: &'a Publishing,
    /// What records are called.
    pub(crate) names: RecordNames,
}

/// The counts, with what the first reading of the input counted.
pub(super) fn with_survey(counts: Counts, survey: &Survey) -> Counts {
    Counts {
        records: survey.records,
        records_with_duplicate_id: survey.duplicate_ids,
        bases: survey.bases,
        chunks: survey.chunks,
        records_no_open_frame: survey.no_open_frame,
        records_too_short: survey.too_short,
        records_empty: survey.empty,
        ..counts
    }
}
