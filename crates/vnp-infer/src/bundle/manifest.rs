//! The manifest of a bundle, `bundle.json`, and the digests in it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::length::LengthSource;
use super::parts::{Parts, TokenizerFile};
use crate::architecture::NetworkSource;
use crate::error::Error;
use crate::weights::Weights;
use crate::weights::write::{digest, digest_bytes};

/// The bundle format that this version writes, and the newest that it reads.
pub(crate) const BUNDLE_FORMAT: u64 = 1;

/// The digests of what a prediction depends on: SHA-256 in hex over a config, the tokenizer and
/// every tensor's name, type, shape and elements in name order. Provenance, times and the layout
/// of files do not count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleDigests {
    /// The nucleotide encoder: config, tokenizer, tensors.
    pub dnabert: String,
    /// The protein encoder: config, tensors.
    pub esm2: String,
    /// The head: tensors.
    pub head: String,
    /// The fallback head: tensors; none in a bundle that has no such head.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fallback: Option<String>,
}

/// The content of `bundle.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Manifest {
    pub(crate) format: u64,
    pub(crate) name: String,
    pub(crate) expected_length: u32,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) further_lengths: Vec<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) expected_length_source: Option<LengthSource>,
    pub(crate) digests: BundleDigests,
    #[serde(default)]
    pub(crate) provenance: Value,
    #[serde(default)]
    pub(crate) licence: String,
}

impl Manifest {
    /// Reads a manifest; its format version is decided before anything else is read.
    pub(crate) fn parse(file: &str, json: &[u8]) -> Result<Self, Error> {
        #[derive(Deserialize)]
        struct Gate {
            format: u64,
        }
        let failed = |cause| Error::Json { file: file.to_owned(), cause };
        let Gate { format } = serde_json::from_slice(json).map_err(failed)?;
        if format > BUNDLE_FORMAT {
            let (file, current) = (file.to_owned(), BUNDLE_FORMAT);
            return Err(Error::BundleTooNew { file, found: format, current });
        }
        let manifest: Self = serde_json::from_slice(json).map_err(failed)?;
        check_expected_length(file, manifest.expected_length)?;
        Ok(manifest)
    }
}

/// Refuses chunk lengths that hold no codon.
pub(crate) fn check_expected_length(file: &str, found: u32) -> Result<(), Error> {
    if found >= 3 {
        return Ok(());
    }
    Err(Error::Config {
        file: file.to_owned(),
        field: "expected_length",
        expected: "at least 3".to_owned(),
        found: found.to_string(),
    })
}

impl BundleDigests {
    /// The digests of the files as they are.
    pub(crate) fn compute(parts: &Parts) -> Result<Self, Error> {
        let Parts { esm2, dnabert, tokenizer, head, fallback } = parts;
        let (esm2, dnabert) = rayon::join(
            || network_digest(esm2, None, |hasher| digest(&esm2.weights, hasher)),
            || network_digest(dnabert, Some(tokenizer), |hasher| digest(&dnabert.weights, hasher)),
        );
        let fallback = fallback.as_ref().map(head_digest).transpose()?;
        Ok(Self { dnabert: dnabert?, esm2: esm2?, head: head_digest(head)?, fallback })
    }
}

/// The digest of an encoder: its config, its tokenizer where that is a file, and its tensors.
/// `add_tensors` adds them to the digest, as they are or on their way into a file.
pub(crate) fn network_digest<A: Serialize>(
    source: &NetworkSource<A>,
    tokenizer: Option<&TokenizerFile>,
    add_tensors: impl FnOnce(&mut Sha256) -> Result<(), Error>,
) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    digest_config(source.weights.label(), &source.config, &mut hasher)?;
    if let Some(tokenizer) = tokenizer {
        digest_bytes(&tokenizer.json, &mut hasher);
    }
    add_tensors(&mut hasher)?;
    Ok(hex(hasher))
}

/// The digest of a head or fallback head: its tensors.
pub(crate) fn head_digest(head: &Weights) -> Result<String, Error> {
    head_digest_with(|hasher| digest(head, hasher))
}

/// The same with tensors that `add_tensors` adds to the digest.
pub(crate) fn head_digest_with(
    add_tensors: impl FnOnce(&mut Sha256) -> Result<(), Error>,
) -> Result<String, Error> {
    let mut hasher = Sha256::new();
    add_tensors(&mut hasher)?;
    Ok(hex(hasher))
}

/// The text of a JSON file of a bundle. A config keeps the fields that are used and no other, so
/// that the bundle does not depend on the form in which the config was distributed.
pub(crate) fn config_json<T: Serialize>(file: &str, config: &T) -> Result<Vec<u8>, Error> {
    let failed = |cause| Error::Json { file: file.to_owned(), cause };
    let mut json = serde_json::to_vec_pretty(config).map_err(failed)?;
    json.push(b'\n');
    Ok(json)
}

/// Adds a config's fields, in name order, to a digest. Values and not their text count: how a
/// number is spelled depends on the JSON library.
fn digest_config<T: Serialize>(file: &str, config: &T, hasher: &mut Sha256) -> Result<(), Error> {
    let failed = |cause| Error::Json { file: file.to_owned(), cause };
    let fields: BTreeMap<String, Value> =
        serde_json::to_value(config).and_then(serde_json::from_value).map_err(failed)?;
    for (name, value) in fields {
        digest_bytes(name.as_bytes(), hasher);
        match (value.as_u64(), value.as_f64(), value) {
            (Some(number), ..) => digest_bytes(&number.to_le_bytes(), hasher),
            (_, Some(number), _) => digest_bytes(&number.to_bits().to_le_bytes(), hasher),
            (_, _, Value::String(text)) => digest_bytes(text.as_bytes(), hasher),
            (_, _, other) => digest_bytes(other.to_string().as_bytes(), hasher),
        }
    }
    Ok(())
}

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
