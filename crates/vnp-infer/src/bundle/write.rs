//! Writing a bundle.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::manifest::{BUNDLE_FORMAT, BundleDigests, Manifest, check_expected_length, config_json};
use super::{Bundle, DnabertFiles, Esm2Files};
use crate::encoder::{dnabert, esm2};
use crate::tokenizer::dnabert::DnabertTokenizer;
use crate::weights::{Weights, write::write};
use crate::{DnabertConfig, Error, Esm2Config, Tensors, head};

/// A bundle to be written: both encoders and the head, checked, and what to say about them.
#[derive(Debug)]
pub struct BundleWriter {
    /// The bundle's name.
    pub name: String,
    /// The chunk length that the head was trained for, in bp.
    pub expected_length: u32,
    /// The licence of the weights.
    pub licence: String,
    /// Where the weights come from: free-form, outside every digest.
    pub provenance: Value,
    pub(crate) esm2: Esm2Files,
    pub(crate) dnabert: DnabertFiles,
    pub(crate) head: Weights,
}

impl BundleWriter {
    /// Takes both encoders, the text of the nucleotide encoder's `tokenizer.json`, and the head
    /// (named as [`Head::new`](crate::Head::new) says). Name, length, licence and provenance are
    /// fields to be set before writing.
    ///
    /// # Errors
    /// A config that cannot run, a tensor missing, misshaped or left over, a tokenizer that does
    /// not load or fit, a head that does not fit the encoders.
    pub fn new(
        (esm2_config, esm2): (Esm2Config, Tensors),
        (dnabert_config, dnabert): (DnabertConfig, Tensors),
        tokenizer_json: Vec<u8>,
        head: Tensors,
    ) -> Result<Self, Error> {
        let esm2 = Esm2Files {
            weights: esm2::select(&esm2_config, Arc::new(esm2))?,
            config: esm2_config,
        };
        let dnabert = DnabertFiles {
            weights: dnabert::select(&dnabert_config, Arc::new(dnabert))?,
            config: dnabert_config,
            tokenizer: tokenizer_json.into(),
            tokenizer_label: "tokenizer.json".to_owned(),
        };
        Self::from_parts(esm2, dnabert, head::select(Arc::new(head))?)
    }

    pub(crate) fn from_parts(
        esm2: Esm2Files,
        dnabert: DnabertFiles,
        head: Weights,
    ) -> Result<Self, Error> {
        DnabertTokenizer::new(&dnabert.tokenizer_label, &dnabert.tokenizer)?
            .check_vocabulary(dnabert.config.vocab_size)?;
        head::check_size(&head, dnabert.config.hidden_size, esm2.config.hidden_size)?;
        Ok(Self {
            name: String::new(),
            expected_length: 0,
            licence: String::new(),
            provenance: Value::Null,
            esm2,
            dnabert,
            head,
        })
    }

    /// Writes the bundle and opens it again, proved. `directory` must not exist, or be empty. The
    /// bundle is written beside it under another name, flushed to disk and renamed, so that no
    /// half of one is ever there.
    ///
    /// # Errors
    /// [`Error::OutputExists`], [`Error::Io`], [`Error::Config`] for a length below 3 bp.
    pub fn write(&self, directory: &Path) -> Result<Bundle, Error> {
        check_expected_length("bundle.json", self.expected_length)?;
        if fs_err::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some())
            || directory.is_file()
        {
            return Err(Error::OutputExists {
                path: directory.to_owned(),
            });
        }
        let parent = match directory.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        fs_err::create_dir_all(parent)?;
        // Removed again when anything below fails.
        let temporary = tempfile::Builder::new()
            .prefix(".vnp-bundle-")
            .tempdir_in(parent)?;
        let root = temporary.path().join("bundle");
        self.write_files(&root)?;
        fs_err::rename(&root, directory)?;
        sync_directory(parent)?;
        Bundle::open(directory)
    }

    fn write_files(&self, root: &Path) -> Result<(), Error> {
        fs_err::create_dir_all(root.join("esm2"))?;
        fs_err::create_dir_all(root.join("dnabert"))?;
        let config = config_json("esm2/config.json", &self.esm2.config)?;
        write_bytes(&root.join("esm2/config.json"), &config)?;
        write(&root.join("esm2/model.safetensors"), &self.esm2.weights)?;
        let config = config_json("dnabert/config.json", &self.dnabert.config)?;
        write_bytes(&root.join("dnabert/config.json"), &config)?;
        write_bytes(
            &root.join("dnabert/tokenizer.json"),
            &self.dnabert.tokenizer,
        )?;
        write(
            &root.join("dnabert/model.safetensors"),
            &self.dnabert.weights,
        )?;
        write(&root.join("head.safetensors"), &self.head)?;
        let manifest = Manifest {
            format: BUNDLE_FORMAT,
            name: self.name.clone(),
            expected_length: self.expected_length,
            digests: BundleDigests::compute(&self.esm2, &self.dnabert, &self.head)?,
            provenance: self.provenance.clone(),
            licence: self.licence.clone(),
        };
        write_bytes(
            &root.join("bundle.json"),
            &config_json("bundle.json", &manifest)?,
        )?;
        for directory in ["esm2", "dnabert", ""] {
            sync_directory(&root.join(directory))?;
        }
        Ok(())
    }
}

fn write_bytes(path: &Path, bytes: &[u8]) -> Result<(), Error> {
    use std::io::Write;
    let mut file = fs_err::File::create(path)?;
    file.write_all(bytes)?;
    Ok(file.sync_all()?)
}

/// Makes the names in a directory durable, where the system can.
fn sync_directory(directory: &Path) -> Result<(), Error> {
    if cfg!(unix) {
        fs_err::File::open(directory)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use serde_json::json;

    use super::*;
    use crate::testing::{
        dnabert_config, esm2_config, random_head, random_tensors, tokenizer_json,
    };

    pub(super) fn writer(seed: u64) -> BundleWriter {
        let (esm2, dnabert) = (esm2_config(16, 2, 2), dnabert_config(24, 2, 3));
        let mut writer = BundleWriter::new(
            (esm2.clone(), random_tensors(esm2.tensors(), seed)),
            (dnabert.clone(), random_tensors(dnabert.tensors(), seed + 1)),
            tokenizer_json(),
            random_head(16 + 24, 8, seed + 2),
        )
        .unwrap();
        writer.name = "mini".to_owned();
        writer.expected_length = 500;
        writer.licence = "MIT".to_owned();
        writer.provenance = json!({"note": "seeded random weights, not trained"});
        writer
    }

    /// Makes a stand-in for the embedded bundle, for a tree that has none:
    /// `cargo test -p vnp-infer write_provisional_mini -- --ignored`.
    #[test]
    #[ignore = "writes models/mini"]
    fn write_provisional_mini() {
        let mini = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("models/mini");
        fs_err::remove_dir_all(&mini).unwrap();
        writer(1).write(&mini).unwrap();
    }
}
