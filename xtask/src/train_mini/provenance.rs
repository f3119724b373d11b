//! What the bundle says about its own making. No times, so that a second run writes the same bytes.

use anyhow::Result;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::corpus::{Corpus, FOREIGN_RECORD, Pools};
use super::data::Data;
use super::groups::{K, Part, RELATED};
use super::metrics::{Scored, balanced, by_kind};
use super::organism::HELD_OUT;
use super::settings::Settings;

pub(super) fn provenance(
    settings: &Settings,
    data: &Data,
    corpus: &Corpus,
    pools: &Pools,
    scored: &[Vec<Scored>; 2],
) -> Result<Value> {
    let files: Vec<Value> = data
        .digests
        .iter()
        .map(|(name, sha256)| json!({ "name": name, "sha256": sha256 }))
        .collect();
    let groups = |part| corpus.parts.iter().filter(|other| **other == part).count();
    let [validation, test] = scored;
    Ok(json!({
        "summary": "seeded random encoders, which were never trained, with a trained head; \
            a demonstration, not the published VirNucPro model",
        "made_by": "cargo run --release -p xtask --features train -- train-mini",
        "settings": settings,
        "data": {
            "files": files,
            "example_sequences_left_out": corpus.examples,
            "records": data.sources.len(),
            "records_left_out_as_examples": corpus.dropped,
            "records_left_out_as_held_out": data.held_out,
            "held_out_names": HELD_OUT,
        },
        "protocol": {
            "groups": format!(
                "records are relatives that share a species, a segmented virus, a data set of one \
                 virus, or {} % of the shorter one's canonical {K}-mers; relatives stay together",
                RELATED * 100.0
            ),
            "split": "70, 15 and 15 % of the bases of every kind of organism, by group",
            "chunks": format!(
                "{} bp; left out: chunks with an ambiguous letter, without an open frame, with a \
                 {K}-mer of the example sequences, or with one of a later part (training, \
                 validation, test in this order); records with {} % of their {K}-mers in the \
                 examples are left out whole",
                settings.chunk_length,
                FOREIGN_RECORD * 100.0
            ),
            "hosts": format!(
                "up to {} host chunks a viral one in every part, drawn by one over the square root \
                 of their group's size; every epoch trains on as many host frames as viral ones",
                settings.hosts_per_virus
            ),
            "frames": "stop-free frames; the original's filter by annotated coding sequences is \
                left out, as there are no annotations",
            "head": "cross-entropy, AdamW with a cosine rate in place of the original's SGD; the \
                weights of the epoch with the least class-balanced validation loss are kept",
            "chunk_score": "score 2 of the frame with the largest of its two scores",
            "metrics": "both classes weigh the same",
        },
        "counts": {
            "groups": {
                "training": groups(Part::Train),
                "validation": groups(Part::Validation),
                "test": groups(Part::Test),
            },
            "chunks": pools.tally,
            "sampled_chunks": {
                "training": pools.training.len(),
                "validation": pools.validation.len(),
                "test": pools.test.len(),
            },
        },
        "validation": balanced(validation),
        "test": balanced(test),
        "test_by_kind": by_kind(test),
    }))
}

/// SHA-256 over the sequences, one a line.
pub(super) fn sequences_digest(sequences: &[Vec<u8>]) -> String {
    let mut hash = Sha256::new();
    for sequence in sequences {
        hash.update(sequence);
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
