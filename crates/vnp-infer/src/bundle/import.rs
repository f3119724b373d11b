//! Importing weights in the forms in which they are distributed into a bundle.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::Bundle;
use super::distribution::{read_dnabert, read_esm2, read_head};
use super::head_file::HeadFile;
use super::length::LengthSource;
use super::parts::Parts;
use super::published::{PUBLISHED_HEADS, PublishedHead};
use super::write::{BundleWriter, refuse_taken};
use crate::error::Error;
use crate::weights::Weights;

/// The files to import, and the name and provenance of the bundle.
#[derive(Debug, Clone)]
pub struct ImportOptions {
    /// ESM-2: a `.pt` of fair-esm, a transformers directory (safetensors or `pytorch_model.bin`,
    /// whole or sharded with an index), or a file of those. `config.json` lies next to the latter;
    /// where it does not, sizes are taken from the tensors. A directory may also hold one `.pt` of
    /// fair-esm; files of contact regressions next to it are ignored.
    pub esm2: PathBuf,
    /// DNABERT-S or DNABERT-2: a directory or file of the same kinds, with `tokenizer.json`.
    pub dnabert: PathBuf,
    /// A `tokenizer.json` elsewhere.
    pub tokenizer: Option<PathBuf>,
    /// The head: `300_model.pth` or `500_model.pth` as released (a whole pickled module), a state
    /// dict, or a file of any form with the names of that, whatever wraps them and whatever state of a
    /// training lies beside.
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
    /// Where the weights come from; the import adds the files it read and the tensors it left out.
    /// Not part of any digest.
    pub provenance: Value,
}

/// Makes a bundle of distributed weights. Tensors that are known to be unused (pooler, language
/// model, contact and classification heads) are left out and listed in the provenance, see
/// [`Bundle::left_out`], and so is the state of a training; any other surplus is an error. Types are
/// kept, but for f64, which becomes f32. Holds one tensor in memory at a time, and reads each once.
///
/// # Errors
/// [`Error::WeightsFormat`], [`Error::NoWeights`] and [`Error::AmbiguousWeights`] for other
/// files; a missing, misshaped or surplus tensor by name; [`Error::Weights`] for values that are not
/// finite, for a published head of another chunk length, and for files that are something else;
/// everything of [`BundleWriter::write`].
pub fn import(options: &ImportOptions) -> Result<Bundle, Error> {
    import_knowing(options, &PUBLISHED_HEADS)
}

/// The same with another table of published heads.
fn import_knowing(options: &ImportOptions, known: &[PublishedHead]) -> Result<Bundle, Error> {
    refuse_taken(&options.out)?;
    // The smallest file first: a mix-up is reported before gigabytes are read.
    let head = HeadFile::open_knowing(&options.head, known)?;
    head.check_length(options.expected_length)?;
    let esm2 = read_esm2(&options.esm2)?;
    let (dnabert, tokenizer) = read_dnabert(&options.dnabert, options.tokenizer.as_deref())?;
    let fallback = options.fallback.as_deref().map(read_head).transpose()?;
    let mut sources = json!({
        "esm2": source(&esm2.weights),
        "dnabert": source(&dnabert.weights),
        "tokenizer": &tokenizer.label,
        "head": head_source(&head),
    });
    if let (Some(fallback), Some(sources)) = (&fallback, sources.as_object_mut()) {
        sources.insert("fallback".to_owned(), source(fallback));
    }
    let length_source = match head.published() {
        Some(_) => LengthSource::PublishedHead,
        None => LengthSource::Stated,
    };
    let parts = Parts { esm2, dnabert, tokenizer, head: head.weights, fallback };
    let mut writer = BundleWriter::from_parts(parts)?;
    writer.name.clone_from(&options.name);
    writer.expected_length = options.expected_length;
    writer.expected_length_source = Some(length_source);
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

impl Bundle {
    /// The tensors that the import left out, because they belong to parts that are not computed here:
    /// the files that held any, with the tensors' names.
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

/// Where tensors come from, and what else is in that file: `beside` are the keys of the state of a
/// training.
fn source(weights: &Weights) -> Value {
    let beside = weights.beside();
    let mut source = json!({ "file": weights.label(), "left_out": weights.unused() });
    let more = [
        ("prefix", Value::from(beside.prefix.clone())),
        ("beside", Value::from(beside.keys())),
        ("averaged", Value::from(beside.averaged.clone())),
    ];
    let is_empty = |value: &Value| {
        value.as_str().is_some_and(str::is_empty) || value.as_array().is_some_and(Vec::is_empty)
    };
    if let Some(source) = source.as_object_mut() {
        let more = more.into_iter().filter(|(_, value)| !is_empty(value));
        source.extend(more.map(|(key, value)| (key.to_owned(), value)));
    }
    source
}

/// The same of the head, with what identifies its file.
fn head_source(head: &HeadFile) -> Value {
    let mut source = source(&head.weights);
    if let Some(source) = source.as_object_mut() {
        source.insert("git_blob".to_owned(), head.git_blob.clone().into());
        source.insert("published".to_owned(), head.published().map(|head| head.file).into());
    }
    source
}

#[cfg(test)]
mod tests;
