//! Bundles: a directory with everything that a prediction needs of a model.
//!
//! ```text
//! bundle.json           name, format, expected_length, digests, provenance, licence
//! dnabert/              config.json  tokenizer.json  model.safetensors
//! esm2/                 config.json  model.safetensors
//! head.safetensors
//! fallback.safetensors  optional: a head over the nucleotide embedding alone
//! ```

pub(crate) mod distribution;
pub(crate) mod files;
pub(crate) mod find;
pub(crate) mod head_file;
pub(crate) mod import;
pub(crate) mod manifest;
pub(crate) mod write;

use std::path::Path;
use std::sync::Arc;

use crate::encoder::{dnabert, esm2};
use crate::weights::{TensorInfo, TensorSource, TensorSpec, Weights};
use crate::{DnabertConfig, Error, Esm2Config, head};
use files::Files;
use manifest::{BundleDigests, Manifest};

/// The name of the bundle that is compiled into the program.
pub const EMBEDDED_NAME: &str = "mini";

/// An open bundle: its files are proved to be what its manifest says, its tensors are not loaded.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub(crate) manifest: Manifest,
    pub(crate) esm2: Esm2Files,
    pub(crate) dnabert: DnabertFiles,
    pub(crate) head: Weights,
    pub(crate) fallback: Option<Weights>,
}

/// The file of the fallback head, if a bundle has one.
pub(crate) const FALLBACK: &str = "fallback.safetensors";

/// What an ESM-2 encoder is loaded from.
#[derive(Debug, Clone)]
pub(crate) struct Esm2Files {
    pub(crate) config: Esm2Config,
    pub(crate) weights: Weights,
}

/// What a DNABERT encoder is loaded from.
#[derive(Debug, Clone)]
pub(crate) struct DnabertFiles {
    pub(crate) config: DnabertConfig,
    pub(crate) weights: Weights,
    pub(crate) tokenizer: Arc<[u8]>,
    pub(crate) tokenizer_label: String,
}

impl Bundle {
    /// The bundle compiled into the program, `mini`: small encoders that run anywhere, not the
    /// published model.
    ///
    /// # Errors
    /// As [`Bundle::open`], though only a faulty build could cause one.
    pub fn embedded() -> Result<Self, Error> {
        Self::read(&Files::Embedded)
    }

    /// Opens a bundle directory and proves it: format version, configs, the presence, shape and
    /// type of every tensor, and the digests of encoders and heads.
    ///
    /// # Errors
    /// [`Error::Io`] for a missing file, [`Error::BundleTooNew`], [`Error::BundleDigest`],
    /// [`Error::MissingTensor`] and its like, [`Error::Json`], [`Error::Config`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::read(&Files::Directory(directory.to_owned()))
    }

    fn read(files: &Files) -> Result<Self, Error> {
        let manifest = Manifest::parse(&files.label("bundle.json"), &files.bytes("bundle.json")?)?;
        let esm2 = Esm2Files::read(files)?;
        let dnabert = DnabertFiles::read(files)?;
        let head = head::select(Arc::new(files.tensors("head.safetensors")?))?;
        head::check_size(&head, dnabert.config.hidden_size, esm2.config.hidden_size)?;
        let fallback = match manifest.digests.fallback {
            Some(_) => Some(head::select(Arc::new(files.tensors(FALLBACK)?))?),
            None => None,
        };
        if let Some(fallback) = &fallback {
            head::check_fallback_size(fallback, dnabert.config.hidden_size)?;
        }
        let found = BundleDigests::compute(&esm2, &dnabert, &head, fallback.as_ref())?;
        let expected = manifest.digests.clone();
        for (file, found, expected) in [
            ("dnabert", Some(found.dnabert), Some(expected.dnabert)),
            ("esm2", Some(found.esm2), Some(expected.esm2)),
            ("head.safetensors", Some(found.head), Some(expected.head)),
            (FALLBACK, found.fallback, expected.fallback),
        ] {
            if found != expected {
                let [found, expected] = [found, expected].map(Option::unwrap_or_default);
                return Err(Error::BundleDigest { file: files.label(file), expected, found });
            }
        }
        Ok(Self { manifest, esm2, dnabert, head, fallback })
    }

    /// The same encoders with the head of another file, `.safetensors` with the names of the
    /// original's state dict. Its digest takes the place of the bundle's. A fallback head stays: it
    /// depends on the nucleotide encoder alone.
    ///
    /// # Errors
    /// As [`Bundle::open`] for the file; [`Error::HeadSize`] where it does not fit the encoders;
    /// [`Error::WeightsFormat`] for a PyTorch file.
    pub fn with_head_file(mut self, path: &Path) -> Result<Self, Error> {
        self.head = import::read_head(path)?;
        let (nucleotide, protein) = (self.nucleotide_hidden_size(), self.protein_hidden_size());
        head::check_size(&self.head, nucleotide, protein)?;
        self.manifest.digests.head = manifest::head_digest(&self.head)?;
        Ok(self)
    }

    /// The bundle's name.
    pub fn name(&self) -> &str {
        &self.manifest.name
    }

    /// The chunk length that the head was trained for, in bp.
    pub fn expected_length(&self) -> u32 {
        self.manifest.expected_length
    }

    /// Whether it has a fallback head, which scores nucleotides alone.
    pub fn has_fallback(&self) -> bool {
        self.fallback.is_some()
    }

    /// Whether it was trained for chunks of this length, in bp.
    pub fn is_for(&self, length: u32) -> bool {
        let Manifest { expected_length, further_lengths, .. } = &self.manifest;
        *expected_length == length || further_lengths.contains(&length)
    }

    /// The digests of encoders and heads: what a run's results depend on.
    pub fn digests(&self) -> &BundleDigests {
        &self.manifest.digests
    }

    /// Where the weights come from and how they were made; free-form.
    pub fn provenance(&self) -> &serde_json::Value {
        &self.manifest.provenance
    }

    /// The licence of the weights.
    pub fn licence(&self) -> &str {
        &self.manifest.licence
    }

    /// The size of a nucleotide embedding.
    pub fn nucleotide_hidden_size(&self) -> usize {
        self.dnabert.config.hidden_size
    }

    /// The size of a protein embedding.
    pub fn protein_hidden_size(&self) -> usize {
        self.esm2.config.hidden_size
    }

    /// The nucleotide encoder's tensors with their values in f32: what training may begin with.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can no longer be read.
    pub fn dnabert_values(&self) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
        values(&self.dnabert.weights)
    }

    /// The same of the protein encoder.
    ///
    /// # Errors
    /// As [`Bundle::dnabert_values`].
    pub fn esm2_values(&self) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
        values(&self.esm2.weights)
    }

    /// The text of the nucleotide encoder's `tokenizer.json`.
    pub fn tokenizer(&self) -> &[u8] {
        &self.dnabert.tokenizer
    }

    /// The sizes of the nucleotide encoder.
    pub fn dnabert_config(&self) -> &DnabertConfig {
        &self.dnabert.config
    }

    /// The sizes of the protein encoder.
    pub fn esm2_config(&self) -> &Esm2Config {
        &self.esm2.config
    }
}

fn values(weights: &Weights) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
    let values = |(name, info): (&str, &TensorInfo)| {
        Ok((TensorSpec::new(name, info.shape.clone()), weights.required(name)?))
    };
    weights.infos().map(values).collect()
}

impl Esm2Files {
    fn read(files: &Files) -> Result<Self, Error> {
        let config = files.json("esm2/config.json")?;
        let weights = files.tensors("esm2/model.safetensors")?;
        Self::new(config, Arc::new(weights))
    }

    pub(crate) fn new(config: Esm2Config, weights: Arc<dyn TensorSource>) -> Result<Self, Error> {
        Ok(Self { weights: esm2::select(&config, weights)?, config })
    }
}

impl DnabertFiles {
    fn read(files: &Files) -> Result<Self, Error> {
        let config: DnabertConfig = files.json("dnabert/config.json")?;
        let weights = files.tensors("dnabert/model.safetensors")?;
        Ok(Self {
            weights: dnabert::select(&config, Arc::new(weights))?,
            config,
            tokenizer: files.bytes("dnabert/tokenizer.json")?.into(),
            tokenizer_label: files.label("dnabert/tokenizer.json"),
        })
    }
}

#[cfg(test)]
mod tests;
