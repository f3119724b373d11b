//! What a run's results depend on, as recorded in its parts and its `run.json`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use vnp_ckpt::Value;

use super::stage::Stage;
use crate::identity::{Difference, differences};

/// The key under which a part's metadata, and that of a published checkpoint, holds its identity.
pub const IDENTITY_KEY: &str = "identity";
/// The field that only a run that scores all chunks has: the nucleotide-only head.
const FALLBACK: &str = "fallback";

/// What parts depend on: [`Identity`] for those of a run, and that of another kind of job for its own.
pub trait PartIdentity {
    /// The fields on which one stage's parts depend.
    fn of_stage(&self, stage: Stage) -> BTreeMap<String, Value>;
}

/// What a run's results depend on, and nothing else: parts of the same identity may be reused.
///
/// File names, compression, threads, batch sizes and devices are not part of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// SHA-256 over the decoded ids and sequences in order.
    pub input: String,
    /// Chunk length in bp.
    pub chunk_length: u32,
    /// SHA-256 of the nucleotide encoder: tensors, config, tokenizer.
    pub dnabert: String,
    /// SHA-256 of the protein encoder: tensors and config.
    pub esm2: String,
    /// SHA-256 of the head's tensors.
    pub head: String,
    /// SHA-256 of the nucleotide-only head's tensors, in a run that scores chunks without an ORF.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
    /// Precision of the encoders.
    pub precision: String,
}

impl Identity {
    /// Every field that differs between this run and `old`, so that one cannot go on with what the
    /// other has computed. A run with a nucleotide-only head and one without have their frames in
    /// common, and differ in nothing else.
    #[must_use]
    pub fn differences(&self, old: &Self) -> Vec<Difference> {
        let (mut old, mut new) = (old.fields(), self.fields());
        if self.fallback.is_none() {
            old.remove(FALLBACK);
        } else if !old.contains_key(FALLBACK) {
            new.remove(FALLBACK);
        }
        differences(&old, &new)
    }

    fn fields(&self) -> BTreeMap<&'static str, String> {
        // Taken apart by name so that a new field cannot be forgotten here.
        let Self { input, chunk_length, dnabert, esm2, head, fallback, precision } = self;
        let mut fields = BTreeMap::from([
            ("input", input.clone()),
            ("chunk_length", chunk_length.to_string()),
            ("dnabert", dnabert.clone()),
            ("esm2", esm2.clone()),
            ("head", head.clone()),
            ("precision", precision.clone()),
        ]);
        fields.extend(fallback.clone().map(|fallback| (FALLBACK, fallback)));
        fields
    }
}

impl PartIdentity for Identity {
    /// The fields on which one stage's parts depend: embeddings outlive a change of the head.
    fn of_stage(&self, stage: Stage) -> BTreeMap<String, Value> {
        self.fields()
            .into_iter()
            .filter(|(field, _)| match stage {
                Stage::Nucleotide => !matches!(*field, "esm2" | "head" | FALLBACK),
                Stage::Protein => !matches!(*field, "dnabert" | "head" | FALLBACK),
                Stage::Scores => *field != FALLBACK,
                Stage::NucleotideOnly => !matches!(*field, "esm2" | "head"),
            })
            .map(|(field, value)| (field.to_owned(), Value::String(value)))
            .collect()
    }
}

/// Every field in which the identity in a checkpoint's metadata differs from `expected`.
///
/// A checkpoint without an identity differs in all of them.
#[must_use]
pub fn differences_of_metadata(
    expected: &BTreeMap<String, Value>,
    metadata: &BTreeMap<String, Value>,
) -> Vec<Difference> {
    let empty = BTreeMap::new();
    let found = match metadata.get(IDENTITY_KEY) {
        Some(Value::Map(map)) => map,
        _ => &empty,
    };
    let old: BTreeMap<&str, String> =
        found.iter().map(|(field, value)| (field.as_str(), text(value))).collect();
    let new = expected.iter().map(|(field, value)| (field.as_str(), text(value))).collect();
    differences(&old, &new)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn identity() -> Identity {
        Identity {
            input: "aa".into(),
            chunk_length: 500,
            dnabert: "d".into(),
            esm2: "e".into(),
            head: "h".into(),
            fallback: Some("f".into()),
            precision: "f32".into(),
        }
    }

    #[track_caller]
    fn check(stage: Stage, change: impl Fn(&mut Identity), expected: &[&str]) {
        let old = identity();
        let mut new = identity();
        change(&mut new);
        let metadata = BTreeMap::from([(IDENTITY_KEY.to_owned(), Value::Map(old.of_stage(stage)))]);
        let fields: Vec<String> = differences_of_metadata(&new.of_stage(stage), &metadata)
            .into_iter()
            .map(|d| d.field)
            .collect();
        assert_eq!(fields, expected);
    }

    #[test]
    fn a_stage_depends_on_its_own_fields_only() {
        check(Stage::Scores, |_| (), &[]);
        check(Stage::Scores, |i| i.input = "bb".into(), &["input"]);
        check(Stage::Scores, |i| i.head = "x".into(), &["head"]);
        check(Stage::Nucleotide, |i| i.head = "x".into(), &[]);
        check(Stage::Nucleotide, |i| i.esm2 = "x".into(), &[]);
        check(Stage::Nucleotide, |i| i.dnabert = "x".into(), &["dnabert"]);
        check(Stage::Protein, |i| i.dnabert = "x".into(), &[]);
        check(Stage::Protein, |i| i.precision = "bf16".into(), &["precision"]);
        check(
            Stage::Protein,
            |i| {
                i.esm2 = "x".into();
                i.chunk_length = 300;
            },
            &["chunk_length", "esm2"],
        );
    }

    #[test]
    fn a_nucleotide_only_head_concerns_its_own_stage_only() {
        for stage in [Stage::Nucleotide, Stage::Protein, Stage::Scores] {
            check(stage, |i| i.fallback = None, &[]);
            check(stage, |i| i.fallback = Some("x".into()), &[]);
        }
        check(Stage::NucleotideOnly, |i| i.fallback = Some("x".into()), &["fallback"]);
        check(Stage::NucleotideOnly, |i| i.head = "x".into(), &[]);
        check(Stage::NucleotideOnly, |i| i.esm2 = "x".into(), &[]);
        check(Stage::NucleotideOnly, |i| i.dnabert = "x".into(), &["dnabert"]);
        check(Stage::NucleotideOnly, |i| i.precision = "bf16".into(), &["precision"]);
    }

    #[test]
    fn scoring_all_chunks_can_be_added_and_left_out() {
        let fields = |old: Option<&str>, new: Option<&str>| {
            let with = |fallback: Option<&str>| Identity {
                fallback: fallback.map(str::to_owned),
                ..identity()
            };
            with(new).differences(&with(old)).len()
        };
        assert_eq!(fields(None, None), 0);
        assert_eq!(fields(None, Some("f")), 0);
        assert_eq!(fields(Some("f"), None), 0);
        assert_eq!(fields(Some("f"), Some("f")), 0);
        assert_eq!(fields(Some("f"), Some("g")), 1);
    }

    #[test]
    fn a_part_without_identity_differs_in_every_field() {
        let expected = identity().of_stage(Stage::Scores);
        let found = differences_of_metadata(&expected, &BTreeMap::new());
        assert_eq!(found.len(), 6);
        assert_eq!(found[0].to_string(), "chunk_length was absent, is now 500");
    }
}
