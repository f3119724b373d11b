//! The provenance in the metadata of the bundle. It holds no times, so that a second run writes the
//! same bytes.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use vnp_train::{Groups, Identity, KmerSet};

use super::corpus::{Corpus, FOREIGN_RECORD};
use super::data::Data;
use super::organism::HELD_OUT;
use super::settings::Settings;
use super::trial::Trained;

/// The length of the k-mers by which relatives are recognised.
const K: usize = KmerSet::K;

/// The inputs that the trainings depend on apart from their recipe.
pub(super) fn identity(data: &Data, examples: &[Vec<u8>], settings: &Settings) -> Identity {
    let files = data.digests.iter().fold(Identity::default(), |identity, (name, digest)| {
        identity.with(format!("data.{name}"), digest)
    });
    files
        .with("examples", sequences_digest(examples))
        .with("groups.seed", settings.seed)
        .with("groups.folds", settings.folds)
        .with("chunk_length", settings.chunk_length)
        .with("validation_chunks", settings.validation_chunks)
        .with("fallback_chunks", settings.fallback_chunks)
}

pub(super) fn provenance(
    settings: &Settings,
    data: &Data,
    examples: &[Vec<u8>],
    corpus: &Corpus,
    trained: &Trained,
    cross_validation: Value,
) -> Value {
    let file = |(name, sha256): &(String, String)| json!({ "name": name, "sha256": sha256 });
    json!({
        "summary": "small encoders and head, trained together on public genomes; made to look at \
            data with, not the published VirNucPro model",
        "made_by": "cargo xtask train-mini",
        "settings": settings,
        "data": {
            "files": data.digests.iter().map(file).collect::<Vec<_>>(),
            "example_sequences_left_out": sequences_digest(examples),
            "records": corpus.records.len(),
            "groups": corpus.groups.groups().len(),
            "records_left_out_as_examples": corpus.dropped,
            "records_left_out_as_held_out": data.held_out,
            "held_out_names": HELD_OUT,
        },
        "protocol": {
            "groups": format!(
                "records are relatives that share a species, a virus family, a segmented virus, a \
                 data set of one virus, or {} % of the shorter one's canonical {K}-mers; \
                 relatives stay together",
                Groups::RELATED * 100.0
            ),
            "cross_validation": format!(
                "{} folds of groups, each kind of organism spread over all; of the groups that are \
                 not tested about a tenth chooses the epoch",
                settings.folds
            ),
            "chunks": format!(
                "whole chunks without ambiguous letters, at most {} of a group; left out are those \
                 with a {K}-mer of the example sequences, and windows to learn from with \
                 one of a group that validates or tests; records with {} % of their \
                 {K}-mers in the examples are left out whole",
                settings.test_chunks,
                FOREIGN_RECORD * 100.0
            ),
            "frames": "ORFs (stop-free frames); the original's filter by annotated coding sequences is \
                left out, as there are no annotations",
            "chunk_score": "score 2 of the frame with the largest of its two scores",
            "intervals": "95 %, 1,000 resamples of the groups",
        },
        "epochs": trained.model.history.len(),
        "epoch": trained.model.epoch + 1,
        "cross_validation": cross_validation,
    })
}

/// The SHA-256 of the sequences, each followed by a line feed.
pub(super) fn sequences_digest(sequences: &[Vec<u8>]) -> String {
    let mut hash = Sha256::new();
    for sequence in sequences {
        hash.update(sequence);
        hash.update(b"\n");
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
