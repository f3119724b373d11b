//! The files of a bundle, in a directory or compiled into the program.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::sync::Arc;

use serde::de::DeserializeOwned;
use vnp_escape::escaped_path;

use crate::architecture::{Architecture, NetworkSource};
use crate::error::Error;
use crate::given;
use crate::weights::file::TensorFile;

/// The file of the fallback head, if a bundle has one.
pub(crate) const FALLBACK: &str = "fallback.safetensors";

/// Where a bundle's files are.
#[derive(Debug)]
pub(crate) enum Files {
    /// The bundle `mini`, in the program.
    Embedded,
    /// Any other bundle.
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
    (FALLBACK, include_bytes!("../../models/mini/fallback.safetensors")),
];

impl Files {
    /// The name of a file in messages.
    pub(crate) fn label(&self, name: &str) -> String {
        match self {
            Self::Embedded => format!("mini/{name}"),
            Self::Directory(directory) => escaped_path(&directory.join(name)).to_string(),
        }
    }

    /// The text of a JSON file, without a byte order mark.
    pub(crate) fn bytes(&self, name: &str) -> Result<Vec<u8>, Error> {
        match self {
            Self::Embedded => Ok(embedded(name)?.to_vec()),
            Self::Directory(directory) => given::json_bytes(&directory.join(name)),
        }
    }

    /// A JSON file.
    pub(crate) fn json<T: DeserializeOwned>(&self, name: &str) -> Result<T, Error> {
        serde_json::from_slice(&self.bytes(name)?)
            .map_err(|cause| Error::Json { file: self.label(name), cause })
    }

    /// A safetensors file, opened.
    pub(crate) fn tensors(&self, name: &str) -> Result<TensorFile, Error> {
        match self {
            Self::Embedded => TensorFile::embedded(&self.label(name), embedded(name)?),
            Self::Directory(directory) => {
                let path = directory.join(name);
                given::start(&path)?;
                TensorFile::open_of_bundle(&path)
            }
        }
    }

    /// The network in a folder, its tensors not loaded.
    pub(crate) fn network<A: Architecture>(&self, folder: &str) -> Result<NetworkSource<A>, Error> {
        let config = self.json(&format!("{folder}/config.json"))?;
        let weights = self.tensors(&format!("{folder}/model.safetensors"))?;
        NetworkSource::new(config, Arc::new(weights))
    }
}

fn embedded(name: &str) -> Result<&'static [u8], Error> {
    let file = EMBEDDED.iter().find(|(known, _)| *known == name);
    let missing = || std::io::Error::new(ErrorKind::NotFound, format!("mini has no file {name}"));
    Ok(file.map(|(_, bytes)| *bytes).ok_or_else(missing)?)
}
