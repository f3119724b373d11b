//! Making a bundle of weights as they are distributed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::distribution::{locate, open_weights};
use super::write::BundleWriter;
use super::{Bundle, DnabertFiles, Esm2Files};
use crate::encoder::dnabert;
use crate::encoder::esm2::fair;
use crate::encoder::infer::{self, Stated};
use crate::weights::renamed::Renamed;
use crate::weights::{TensorSource, Weights};
use crate::{DnabertConfig, Error, head};

/// What to import, and what to call it.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// ESM-2: a `.pt` of fair-esm, a transformers directory (safetensors or `pytorch_model.bin`,
    /// whole or sharded with an index), or a file of those. `config.json` lies beside the latter;
    /// where it does not, sizes are taken from the tensors. A directory may also hold one `.pt` of
    /// fair-esm; files of contact regressions beside it are not looked at.
    pub esm2: PathBuf,
    /// DNABERT-S or DNABERT-2: a directory or file of the same kinds, with `tokenizer.json`.
    pub dnabert: PathBuf,
    /// A `tokenizer.json` elsewhere.
    pub tokenizer: Option<PathBuf>,
    /// The head: `300_model.pth` or `500_model.pth` as released (a whole pickled module), a state
    /// dict, or `.safetensors` with the names of that.
    pub head: PathBuf,
    /// A fallback head, in the same forms: one over the nucleotide embedding alone.
    pub fallback: Option<PathBuf>,
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
/// model, contact and classification heads) are left out and listed in the provenance, see
/// [`Bundle::left_out`]; any other surplus is an error. Types are kept. Holds one tensor in memory
/// at a time, and reads each once.
///
/// # Errors
/// [`Error::WeightsFormat`], [`Error::NoWeights`] and [`Error::AmbiguousWeights`] for what is no
/// weights; a missing, misshaped or surplus tensor by name; everything of [`BundleWriter::write`].
pub fn import(options: &ImportOptions) -> Result<Bundle, Error> {
    let esm2 = read_esm2(&options.esm2)?;
    let dnabert = read_dnabert(&options.dnabert, options.tokenizer.as_deref())?;
    let head = read_head(&options.head)?;
    let fallback = options.fallback.as_deref().map(read_head).transpose()?;
    let mut sources = json!({
        "esm2": source(&esm2.weights),
        "dnabert": source(&dnabert.weights),
        "tokenizer": &dnabert.tokenizer_label,
        "head": source(&head),
    });
    let mut writer = BundleWriter::from_parts(esm2, dnabert, head)?;
    if let Some(fallback) = fallback {
        if let Some(sources) = sources.as_object_mut() {
            sources.insert("fallback".to_owned(), source(&fallback));
        }
        writer = writer.with_fallback_weights(fallback)?;
    }
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

/// An ESM-2 network: a file of fair-esm, or what transformers writes, beside its config. Without
/// one its sizes are those that the tensors have.
pub(crate) fn read_esm2(path: &Path) -> Result<Esm2Files, Error> {
    let (weights, config) = locate(path)?;
    let source = open_weights(&weights)?;
    if fair::is_fair(source.as_ref()) {
        let source = Renamed::new(source, fair::rename)?;
        let stated = source.metadata().map(fair::stated).unwrap_or_default();
        return Esm2Files::new(infer::esm2(&source, &stated)?, Arc::new(source));
    }
    let config = match config.is_file() {
        true => read_json(&config)?,
        false => infer::esm2(source.as_ref(), &Stated::default())?,
    };
    Esm2Files::new(config, source)
}

/// A DNABERT network with its tokenizer.
pub(crate) fn read_dnabert(path: &Path, tokenizer: Option<&Path>) -> Result<DnabertFiles, Error> {
    let (weights, config_path) = locate(path)?;
    let source = open_weights(&weights)?;
    let config: DnabertConfig = match config_path.is_file() {
        true => read_json(&config_path)?,
        false => infer::dnabert(source.as_ref())?,
    };
    let tokenizer =
        tokenizer.map_or_else(|| config_path.with_file_name("tokenizer.json"), Path::to_owned);
    Ok(DnabertFiles {
        weights: dnabert::select(&config, source)?,
        config,
        tokenizer: fs_err::read(&tokenizer)?.into(),
        tokenizer_label: tokenizer.display().to_string(),
    })
}

/// A head: a state dict, or the whole module that the original saves.
pub(crate) fn read_head(path: &Path) -> Result<Weights, Error> {
    fs_err::metadata(path)?;
    head::select(open_weights(path)?)
}

impl Bundle {
    /// What the import left out: the files that held tensors of parts that are not computed here,
    /// with the names of those.
    pub fn left_out(&self) -> Vec<(&str, Vec<&str>)> {
        let imported = self.provenance().get("imported").and_then(Value::as_object);
        let sources = imported.into_iter().flat_map(|sources| sources.values());
        let left_out = sources.filter_map(|source| {
            let names = source.get("left_out")?.as_array()?.iter().filter_map(Value::as_str);
            Some((source.get("file")?.as_str()?, names.collect::<Vec<_>>()))
        });
        left_out.filter(|(_, names)| !names.is_empty()).collect()
    }
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&fs_err::read(path)?)
        .map_err(|source| Error::Json { file: path.display().to_string(), source })
}

fn source(weights: &Weights) -> Value {
    json!({ "file": weights.label(), "left_out": weights.unused() })
}

#[cfg(test)]
mod tests;
