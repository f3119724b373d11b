//! Where a bundle's files are.

use std::path::PathBuf;

use serde::de::DeserializeOwned;

use crate::Error;
use crate::weights::file::TensorFile;

/// A bundle's files, in a directory or compiled into the program.
#[derive(Debug)]
pub(crate) enum Files {
    /// `mini`.
    Embedded,
    /// Any other.
    Directory(PathBuf),
}

/// The files of `mini`.
const EMBEDDED: [(&str, &[u8]); 8] = [
    ("bundle.json", include_bytes!("../../models/mini/bundle.json")),
    ("dnabert/config.json", include_bytes!("../../models/mini/dnabert/config.json")),
    ("dnabert/tokenizer.json", include_bytes!("../../models/mini/dnabert/tokenizer.json")),
    ("dnabert/model.safetensors", include_bytes!("../../models/mini/dnabert/model.safetensors")),
    ("esm2/config.json", include_bytes!("../../models/mini/esm2/config.json")),
    ("esm2/model.safetensors", include_bytes!("../../models/mini/esm2/model.safetensors")),
    ("head.safetensors", include_bytes!("../../models/mini/head.safetensors")),
    ("fallback.safetensors", include_bytes!("../../models/mini/fallback.safetensors")),
];

impl Files {
    /// What messages call a file.
    pub(crate) fn label(&self, name: &str) -> String {
        match self {
            Self::Embedded => format!("mini/{name}"),
            Self::Directory(directory) => directory.join(name).display().to_string(),
        }
    }

    /// A whole file.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::Embedded => Ok(embedded(name).to_vec()),
            Self::Directory(directory) => Ok(fs_err::read(directory.join(name))?),
        }
    }

    /// A JSON file.
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.bytes(name)?)
            .map_err(|source| Error::Json { file: self.label(name), source })
    }

    /// A safetensors file, opened.
    pub(crate) fn tensors(&self, name: &str) -> Result<TensorFile, Error> {
        match self {
            Self::Embedded => TensorFile::embedded(&self.label(name), embedded(name)),
            Self::Directory(directory) => TensorFile::open_of_bundle(&directory.join(name)),
        }
    }
}

fn embedded(name: &str) -> &'static [u8] {
    EMBEDDED.iter().find(|(known, _)| *known == name).map_or(&[], |(_, bytes)| bytes)
}
