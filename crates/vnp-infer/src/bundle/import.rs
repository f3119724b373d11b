//! Making a bundle of weights as they are distributed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::write::BundleWriter;
use super::{Bundle, DnabertFiles, Esm2Files};
use crate::encoder::dnabert;
use crate::weights::Weights;
use crate::weights::file::TensorFile;
use crate::{DnabertConfig, Error, head};

/// What to import, and what to call it.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// ESM-2: a transformers directory (`config.json`, `model.safetensors`), or its safetensors
    /// file with `config.json` beside it.
    pub esm2: PathBuf,
    /// DNABERT-S or DNABERT-2: the same, with `tokenizer.json`.
    pub dnabert: PathBuf,
    /// A `tokenizer.json` elsewhere.
    pub tokenizer: Option<PathBuf>,
    /// The head: `.safetensors` with the names of the original's state dict.
    pub head: PathBuf,
    /// The chunk length that the head was trained for, in bp.
    pub expected_length: u32,
    /// The bundle's name.
    pub name: String,
    /// The directory to write; must not exist, or be empty.
    pub out: PathBuf,
    /// The licence of the weights.
    pub licence: String,
    /// What is known of their origin; the import adds the files it read and the tensors it left
    /// out. Not part of any digest.
    pub provenance: Value,
}

/// Makes a bundle of distributed weights. Tensors that are known to be unused (pooler, language
/// model and contact heads) are left out and listed in the provenance; any other surplus is an
/// error. Types are kept. Holds one tensor in memory at a time.
///
/// # Errors
/// [`Error::WeightsFormat`] for PyTorch files and sharded weights, which this version does not
/// read; a missing or misshaped tensor by name; everything of [`BundleWriter::write`].
pub fn import(options: &ImportOptions) -> Result<Bundle, Error> {
    let esm2 = read_esm2(&options.esm2)?;
    let dnabert = read_dnabert(&options.dnabert, options.tokenizer.as_deref())?;
    let head = read_head(&options.head)?;
    let sources = json!({
        "esm2": source(&esm2.weights),
        "dnabert": source(&dnabert.weights),
        "tokenizer": &dnabert.tokenizer_label,
        "head": source(&head),
    });
    let mut writer = BundleWriter::from_parts(esm2, dnabert, head)?;
    writer.name.clone_from(&options.name);
    writer.expected_length = options.expected_length;
    writer.licence.clone_from(&options.licence);
    writer.provenance = match &options.provenance {
        Value::Null => json!({ "imported": sources }),
        Value::Object(known) => {
            let mut provenance = known.clone();
            provenance.insert("imported".to_owned(), sources);
            Value::Object(provenance)
        }
        other => json!({ "note": other, "imported": sources }),
    };
    writer.write(&options.out)
}

/// An ESM-2 network in a directory or beside its config.
pub(crate) fn read_esm2(path: &Path) -> Result<Esm2Files, Error> {
    let (weights, config) = locate(path)?;
    Esm2Files::new(read_json(&config)?, TensorFile::open(&weights)?)
}

/// A DNABERT network with its tokenizer.
pub(crate) fn read_dnabert(path: &Path, tokenizer: Option<&Path>) -> Result<DnabertFiles, Error> {
    let (weights, config_path) = locate(path)?;
    let config: DnabertConfig = read_json(&config_path)?;
    let tokenizer = tokenizer.map_or_else(
        || config_path.with_file_name("tokenizer.json"),
        Path::to_owned,
    );
    Ok(DnabertFiles {
        weights: dnabert::select(&config, Arc::new(TensorFile::open(&weights)?))?,
        config,
        tokenizer: fs_err::read(&tokenizer)?.into(),
        tokenizer_label: tokenizer.display().to_string(),
    })
}

/// A head's state dict.
pub(crate) fn read_head(path: &Path) -> Result<Weights, Error> {
    check_format(path)?;
    head::select(Arc::new(TensorFile::open(path)?))
}

/// The weights and config that a path, a directory or a file, stands for.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    if !path.is_dir() {
        check_format(path)?;
        return Ok((path.to_owned(), path.with_file_name("config.json")));
    }
    let weights = path.join("model.safetensors");
    if !weights.exists() {
        for name in ["model.safetensors.index.json", "pytorch_model.bin"] {
            check_format(&path.join(name))?;
        }
    }
    Ok((weights, path.join("config.json")))
}

/// Refuses files that are there and are no single safetensors file. Their readers come with
/// `vnp-ckpt`'s, and belong here.
fn check_format(path: &Path) -> Result<(), Error> {
    let is_safetensors = path
        .extension()
        .is_some_and(|extension| extension == "safetensors");
    if path.exists() && !is_safetensors {
        return Err(Error::WeightsFormat {
            path: path.to_owned(),
        });
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&fs_err::read(path)?).map_err(|source| Error::Json {
        file: path.display().to_string(),
        source,
    })
}

fn source(weights: &Weights) -> Value {
    json!({ "file": weights.label(), "left_out": weights.unused() })
}
