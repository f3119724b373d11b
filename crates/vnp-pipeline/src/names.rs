//! The names of a run's files.

use vnp_job::JobKind;
use vnp_job::parts::{Manifest, Stage};

/// One row per frame, in the original's format.
pub const FRAMES: &str = "prediction_results.txt";
/// One row per chunk, in the original's format (tab-separated in spite of its name).
pub const CONSENSUS: &str = "prediction_results_highestscore.csv";
/// One row per input record.
pub const SEQUENCES: &str = "sequences.tsv";
/// One row per chunk.
pub const CHUNKS: &str = "chunks.tsv";
/// One row per contig, where contigs are called.
pub const CONTIG_CALLS: &str = "contig_calls.tsv";
/// What the tables add up to.
pub const SUMMARY: &str = "summary.json";
/// Identity, settings, counts and digests.
pub const RUN: &str = vnp_job::parts::RUN_JSON;
/// The frames' nucleotides, written on request.
pub const NUCLEOTIDE_FASTA: &str = "identified_nucleotide.fa";
/// The frames' proteins, written on request.
pub const PROTEIN_FASTA: &str = "identified_protein.faa";

/// The digest that the identity of a run without encoders records in their place.
pub(crate) const NO_ENCODER: &str = "none";

/// Names of tables that `run.json` may not have yet, below `checkpoints`; only while they are published.
pub(crate) const ANNOUNCED: &str = "publishing.txt";

/// What a run leaves. Tables and FASTA come in either form.
const RESULTS: [&str; 16] = [
    RUN,
    SUMMARY,
    FRAMES,
    "prediction_results.txt.gz",
    CONSENSUS,
    "prediction_results_highestscore.csv.gz",
    SEQUENCES,
    "sequences.tsv.gz",
    CHUNKS,
    "chunks.tsv.gz",
    CONTIG_CALLS,
    "contig_calls.tsv.gz",
    NUCLEOTIDE_FASTA,
    "identified_nucleotide.fa.gz",
    PROTEIN_FASTA,
    "identified_protein.faa.gz",
];

/// What is published and vouched for by `run.json`.
pub(crate) fn published() -> impl Iterator<Item = &'static str> {
    RESULTS.into_iter().filter(|name| ![RUN, SUMMARY].contains(name))
}

/// What a training leaves, which no run does.
const TRAINING: [&str; 3] = ["train.json", "checkpoints/training.vnp", "prepared/prepared.json"];

/// A run's directory.
pub static JOB: JobKind = JobKind {
    name: "run",
    results: &RESULTS,
    stages: &[
        Stage::Nucleotide.name(),
        Stage::Protein.name(),
        Stage::Scores.name(),
        Stage::NucleotideOnly.name(),
    ],
    result_directories: &[],
    state: &[ANNOUNCED],
    temporaries: &[],
    stranger: |path, has_lock| {
        if !path.join(RUN).exists() && TRAINING.iter().any(|name| path.join(name).exists()) {
            return Some("a training of vnp train");
        }
        // Other tools use the same name for theirs.
        let record = Manifest::is_at(&path.join(RUN));
        if record == Some(false) {
            return Some("a run.json that no vnp run wrote");
        }
        // The Python tools use the same names: their results are not ours to replace.
        let is_ours = has_lock || record == Some(true);
        let has_results = RESULTS.iter().any(|name| path.join(name).exists());
        (!is_ours && has_results).then_some("results that no vnp run wrote")
    },
};
