//! Which tables a run publishes, and in which form: nothing of it changes what is computed.

use serde_json::{Value, json};
use vnp_calls::CallOptions;
use vnp_job::publish::Compression;

/// Up to this many chunks every one has a row in `chunks.tsv` by default.
const ALL_CHUNKS_UP_TO: u64 = 10_000_000;

/// The columns of the consensus file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compat {
    /// `Modified_ID` and `Is_Virus`, sorted by name, as the published VirNucPro writes it.
    #[default]
    Original,
    /// The largest scores too, in input order, as the Broad Institute's version writes it.
    Broad,
}

impl Compat {
    fn name(self) -> &'static str {
        match self {
            Self::Original => "original",
            Self::Broad => "broad",
        }
    }
}

/// The chunks that have a row in `chunks.tsv`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChunkRows {
    /// Every chunk of every record.
    All,
    /// Those with a score.
    Scored,
    /// There is no such table.
    None,
}

impl ChunkRows {
    fn name(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Scored => "scored",
            Self::None => "none",
        }
    }
}

/// `contig_calls.tsv`, by the rules of the Broad Institute's surveillance workflow.
#[derive(Clone, Debug, Default)]
pub struct ContigCalls {
    /// What makes a call sure.
    pub options: CallOptions,
    /// Chunks are gathered by the first group of this expression in their ids; without one, by record.
    pub group_pattern: Option<vnp_calls::GroupPattern>,
}

/// Which tables a run publishes, and in which form.
#[derive(Clone, Debug, Default)]
pub struct Publishing {
    /// The columns of the consensus file.
    pub compat: Compat,
    /// The rows of `chunks.tsv`; by default all of them, or those with a score in a run of more than
    /// ten million chunks.
    pub chunks: Option<ChunkRows>,
    /// Contig calls, if there are to be any.
    pub calls: Option<ContigCalls>,
    /// How tables and FASTA are stored.
    pub compression: Compression,
    /// Also write the frames as FASTA.
    pub keep_frames: bool,
}

impl Publishing {
    /// The rows of `chunks.tsv` in a run of this many chunks.
    pub(crate) fn chunk_rows(&self, chunks: u64) -> ChunkRows {
        self.chunks.unwrap_or(match chunks {
            0..=ALL_CHUNKS_UP_TO => ChunkRows::All,
            _ => ChunkRows::Scored,
        })
    }

    /// The name of a result of this name as it is stored.
    pub(crate) fn file_name(&self, name: &str) -> String {
        match self.compression {
            Compression::None => name.to_owned(),
            Compression::Bgzf => format!("{name}.gz"),
        }
    }

    /// What `run.json` records, for a run of this many chunks: equal where equal tables follow from equal
    /// parts.
    pub(crate) fn record(&self, chunks: u64) -> Value {
        let calls = self.calls.as_ref().map(|calls| {
            json!({
                "rules": "broad",
                "min_viral_prop": calls.options.min_viral_proportion,
                "min_nonviral_prop": calls.options.min_nonviral_proportion,
                "min_chunks": calls.options.min_chunks,
                "group_pattern": calls.group_pattern.as_ref().map(vnp_calls::GroupPattern::as_str),
            })
        });
        json!({
            "compat": self.compat.name(),
            "chunks": self.chunk_rows(chunks).name(),
            "calls": calls,
            "gzip": self.compression == Compression::Bgzf,
            "keep_intermediate": self.keep_frames,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_of_very_many_chunks_lists_those_with_a_score() {
        let check = |chunks, asked, expected| {
            let publishing = Publishing { chunks: asked, ..Publishing::default() };
            assert_eq!(publishing.chunk_rows(chunks), expected);
            assert_eq!(publishing.record(chunks)["chunks"], expected.name());
        };
        check(10_000_000, None, ChunkRows::All);
        check(10_000_001, None, ChunkRows::Scored);
        check(10_000_001, Some(ChunkRows::All), ChunkRows::All);
        check(0, Some(ChunkRows::None), ChunkRows::None);
    }
}
