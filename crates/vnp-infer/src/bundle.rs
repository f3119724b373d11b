//! Bundles: directories with all files of a model.
//!
//! ```text
//! bundle.json           name, format, expected_length, digests, provenance, licence
//! dnabert/              config.json  tokenizer.json  model.safetensors
//! esm2/                 config.json  model.safetensors
//! head.safetensors
//! fallback.safetensors  optional: a head over the nucleotide embedding alone
//! ```

pub(crate) mod distribution;
mod files;
pub(crate) mod find;
pub(crate) mod head_file;
pub(crate) mod import;
pub(crate) mod length;
pub(crate) mod manifest;
pub(crate) mod parts;
pub(crate) mod published;
pub(crate) mod write;

use std::path::Path;
use std::sync::Arc;

use crate::architecture::dnabert::DnabertConfig;
use crate::architecture::esm2::Esm2Config;
use crate::error::Error;
use crate::head;
use crate::weights::{TensorInfo, TensorSpec, Weights};
use files::{FALLBACK, Files};
use head_file::HeadFile;
use length::LengthSource;
use manifest::{BundleDigests, Manifest};
use parts::{Parts, TokenizerFile};

/// The name of the bundle that is compiled into the program.
pub const EMBEDDED_NAME: &str = "mini";

/// An open bundle: its files were verified against the manifest, its tensors are not loaded.
#[derive(Debug, Clone)]
pub struct Bundle {
    pub(crate) manifest: Manifest,
    pub(crate) parts: Parts,
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

    /// Opens a bundle directory and verifies it: format version, configs, the presence, shape and
    /// type of every tensor, and the digests of encoders and heads.
    ///
    /// # Errors
    /// [`Error::Io`] for a missing file, [`Error::Weights`] for one that is something else or holds
    /// values that are not finite, [`Error::BundleTooNew`], [`Error::BundleDigest`],
    /// [`Error::MissingTensor`] and its like, [`Error::Json`], [`Error::Config`].
    pub fn open(directory: &Path) -> Result<Self, Error> {
        Self::read(&Files::Directory(directory.to_owned()))
    }

    fn read(files: &Files) -> Result<Self, Error> {
        let manifest = Manifest::parse(&files.label("bundle.json"), &files.bytes("bundle.json")?)?;
        let head = |name| head::tensors::select(Arc::new(files.tensors(name)?));
        let parts = Parts {
            esm2: files.network("esm2")?,
            dnabert: files.network("dnabert")?,
            tokenizer: TokenizerFile {
                json: files.bytes("dnabert/tokenizer.json")?.into(),
                label: files.label("dnabert/tokenizer.json"),
            },
            head: head("head.safetensors")?,
            fallback: manifest.digests.fallback.as_ref().map(|_| head(FALLBACK)).transpose()?,
        };
        parts.check_heads()?;
        let (found, expected) = (BundleDigests::compute(&parts)?, manifest.digests.clone());
        let digests = [
            ("dnabert", found.dnabert, expected.dnabert),
            ("esm2", found.esm2, expected.esm2),
            ("head.safetensors", found.head, expected.head),
        ];
        let fallback = found.fallback.zip(expected.fallback);
        let fallback = fallback.map(|(found, expected)| (FALLBACK, found, expected));
        for (file, found, expected) in digests.into_iter().chain(fallback) {
            if found != expected {
                return Err(Error::BundleDigest { file: files.label(file), expected, found });
            }
        }
        Ok(Self { manifest, parts })
    }

    /// The same encoders with the head of another file: PyTorch, safetensors or a `.vnp` checkpoint,
    /// with the names of the original's state dict, whatever wraps them.
    ///
    /// # Errors
    /// As [`HeadFile::open`] and [`Bundle::with_head`].
    pub fn with_head_file(self, path: &Path) -> Result<Self, Error> {
        self.with_head(&HeadFile::open(path)?)
    }

    /// The same encoders with another head. Its digest replaces the bundle's. A fallback head stays:
    /// it depends on the nucleotide encoder alone.
    ///
    /// # Errors
    /// [`Error::HeadSize`] where it does not fit the encoders.
    pub fn with_head(mut self, head: &HeadFile) -> Result<Self, Error> {
        self.parts.head = head.weights.clone();
        self.parts.check_heads()?;
        self.manifest.digests.head = head.digest().to_owned();
        self.manifest.expected_length_source = None;
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

    /// How far that length is known; `None` for a bundle that does not say.
    pub fn expected_length_source(&self) -> Option<LengthSource> {
        self.manifest.expected_length_source
    }

    /// Whether it has a fallback head, which scores nucleotides alone.
    pub fn has_fallback(&self) -> bool {
        self.parts.fallback.is_some()
    }

    /// Whether it was trained for chunks of this length, in bp.
    pub fn is_for(&self, length: u32) -> bool {
        let Manifest { expected_length, further_lengths, .. } = &self.manifest;
        *expected_length == length || further_lengths.contains(&length)
    }

    /// The digests of encoders and heads, on which a run's results depend.
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
        self.parts.nucleotide_size()
    }

    /// The size of a protein embedding.
    pub fn protein_hidden_size(&self) -> usize {
        self.parts.protein_size()
    }

    /// The nucleotide encoder's tensors with their values in f32, from which training may start.
    ///
    /// # Errors
    /// [`Error::Io`] where a file can no longer be read.
    pub fn dnabert_values(&self) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
        values(&self.parts.dnabert.weights)
    }

    /// The same of the protein encoder.
    ///
    /// # Errors
    /// As [`Bundle::dnabert_values`].
    pub fn esm2_values(&self) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
        values(&self.parts.esm2.weights)
    }

    /// The text of the nucleotide encoder's `tokenizer.json`.
    pub fn tokenizer(&self) -> &[u8] {
        &self.parts.tokenizer.json
    }

    /// The sizes of the nucleotide encoder.
    pub fn dnabert_config(&self) -> &DnabertConfig {
        &self.parts.dnabert.config
    }

    /// The sizes of the protein encoder.
    pub fn esm2_config(&self) -> &Esm2Config {
        &self.parts.esm2.config
    }
}

fn values(weights: &Weights) -> Result<Vec<(TensorSpec, Vec<f32>)>, Error> {
    let values = |(name, info): (&str, &TensorInfo)| {
        Ok((TensorSpec::new(name, info.shape.clone()), weights.required(name)?))
    };
    weights.infos().map(values).collect()
}

#[cfg(test)]
mod tests;
