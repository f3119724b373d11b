//! Bundles: a directory with everything that a prediction needs of a model.
//!
//! ```text
//! bundle.json           name, format, expected_length, digests, provenance, licence
//! dnabert/              config.json  tokenizer.json  model.safetensors
//! esm2/                 config.json  model.safetensors
//! head.safetensors
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
use crate::weights::{TensorSource, Weights};
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
}

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
    /// type of every tensor, and the digests of encoders and head.
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
        let found = BundleDigests::compute(&esm2, &dnabert, &head)?;
        let expected = &manifest.digests;
        for (file, found, expected) in [
            ("dnabert", found.dnabert, &expected.dnabert),
            ("esm2", found.esm2, &expected.esm2),
            ("head.safetensors", found.head, &expected.head),
        ] {
            if found != *expected {
                let (file, expected) = (files.label(file), expected.clone());
                return Err(Error::BundleDigest { file, expected, found });
            }
        }
        Ok(Self { manifest, esm2, dnabert, head })
    }

    /// The same encoders with the head of another file, `.safetensors` with the names of the
    /// original's state dict. Its digest takes the place of the bundle's.
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

    /// The digests of encoders and head: what a run's results depend on.
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

    /// The sizes of the nucleotide encoder.
    pub fn dnabert_config(&self) -> &DnabertConfig {
        &self.dnabert.config
    }

    /// The sizes of the protein encoder.
    pub fn esm2_config(&self) -> &Esm2Config {
        &self.esm2.config
    }
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
mod tests {
    use std::path::PathBuf;

    use super::*;
    use crate::testing::{random_head, random_writer};
    use crate::weights::write::write;
    use crate::{Model, ModelOptions};

    fn bundle() -> (tempfile::TempDir, PathBuf) {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("b");
        random_writer(1).write(&path).unwrap();
        (directory, path)
    }

    /// The error of opening a bundle after one file was changed.
    fn opened_after(file: &str, change: impl FnOnce(&mut Vec<u8>)) -> Error {
        let (_keep, path) = bundle();
        let mut bytes = fs_err::read(path.join(file)).unwrap();
        change(&mut bytes);
        fs_err::write(path.join(file), bytes).unwrap();
        Bundle::open(&path).unwrap_err()
    }

    fn replace(bytes: &mut Vec<u8>, from: &str, to: &str) {
        let text = String::from_utf8(bytes.clone()).unwrap();
        assert!(text.contains(from), "{text}");
        *bytes = text.replace(from, to).into_bytes();
    }

    fn check_digest(file: &str, named: &str, change: impl FnOnce(&mut Vec<u8>)) {
        let Error::BundleDigest { file: found, .. } = opened_after(file, change) else {
            panic!("{file}")
        };
        assert!(found.ends_with(named), "{found}");
    }

    #[test]
    fn a_changed_byte_is_found() {
        let flip = |bytes: &mut Vec<u8>| *bytes.last_mut().unwrap() ^= 1;
        check_digest("esm2/model.safetensors", "esm2", flip);
        check_digest("dnabert/model.safetensors", "dnabert", flip);
        check_digest("head.safetensors", "head.safetensors", flip);
        check_digest("dnabert/tokenizer.json", "dnabert", |bytes| bytes.push(b' '));
        let eps = |bytes: &mut Vec<u8>| replace(bytes, "0.00001", "0.0001");
        check_digest("esm2/config.json", "esm2", eps);
        let digest = |bytes: &mut Vec<u8>| replace(bytes, "\"head\": \"", "\"head\": \"0");
        check_digest("bundle.json", "head.safetensors", digest);
    }

    #[test]
    fn a_cut_file_is_found() {
        let Error::NotSafetensors { file, .. } =
            opened_after("esm2/model.safetensors", |bytes| bytes.truncate(bytes.len() - 1))
        else {
            panic!()
        };
        assert!(file.ends_with("model.safetensors"));
        let Error::Json { file, .. } = opened_after("bundle.json", |bytes| bytes.truncate(20))
        else {
            panic!()
        };
        assert!(file.ends_with("bundle.json"));
    }

    #[test]
    fn a_missing_file_is_named() {
        for file in ["bundle.json", "head.safetensors", "dnabert/tokenizer.json"] {
            let (_keep, path) = bundle();
            fs_err::remove_file(path.join(file)).unwrap();
            let error = Bundle::open(&path).unwrap_err();
            let Error::Io { source } = &error else { panic!("{error}") };
            assert_eq!(source.kind(), std::io::ErrorKind::NotFound);
            assert!(error.to_string().contains(file), "{error}");
        }
    }

    #[test]
    fn a_later_format_is_refused_whatever_else_it_says() {
        let newer = |bytes: &mut Vec<u8>| *bytes = b"{\"format\": 2, \"new\": []}".to_vec();
        let Error::BundleTooNew { found, current, .. } = opened_after("bundle.json", newer) else {
            panic!()
        };
        assert_eq!((found, current), (2, 1));
    }

    #[test]
    fn a_config_of_another_size_is_refused() {
        let wider =
            |bytes: &mut Vec<u8>| replace(bytes, "\"hidden_size\": 16", "\"hidden_size\": 32");
        let Error::TensorShape { name, expected, .. } = opened_after("esm2/config.json", wider)
        else {
            panic!()
        };
        assert_eq!(name, "embeddings.word_embeddings.weight");
        assert_eq!(expected, [33, 32]);
        let deeper = |bytes: &mut Vec<u8>| {
            replace(bytes, "\"num_hidden_layers\": 2", "\"num_hidden_layers\": 9000000000");
        };
        let Error::MissingTensor { name, .. } = opened_after("esm2/config.json", deeper) else {
            panic!()
        };
        assert_eq!(name, "encoder.layer.2.attention.LayerNorm.weight");
    }

    fn head_file(directory: &Path, features: usize) -> PathBuf {
        let path = directory.join("head.safetensors");
        let weights = head::select(Arc::new(random_head(features, 5, 9))).unwrap();
        write(&path, &weights, &mut sha2::Digest::new()).unwrap();
        path
    }

    #[test]
    fn another_head_takes_the_place_of_the_bundles() {
        let (directory, path) = bundle();
        let bundle = Bundle::open(&path).unwrap();
        let head = head_file(directory.path(), 16 + 24);
        let other = bundle.clone().with_head_file(&head).unwrap();
        assert_ne!(other.digests().head, bundle.digests().head);
        assert_eq!(other.digests().esm2, bundle.digests().esm2);
        let score = |bundle: &Bundle| {
            let model = Model::load(bundle, &ModelOptions::default()).unwrap();
            model.head.score(&[0.5; 24], &[0.5; 16]).unwrap()
        };
        assert_ne!(score(&other), score(&bundle));
    }

    #[test]
    fn a_head_of_another_size_is_refused() {
        let (directory, path) = bundle();
        let head = head_file(directory.path(), 41);
        let Err(Error::HeadSize { found, nucleotide, protein, .. }) =
            Bundle::open(&path).unwrap().with_head_file(&head)
        else {
            panic!()
        };
        assert_eq!((found, nucleotide, protein), (41, 24, 16));
    }

    #[test]
    fn the_embedded_bundle_is_whole() {
        let bundle = Bundle::embedded().unwrap();
        assert_eq!(bundle.name(), EMBEDDED_NAME);
        let model = Model::load(&bundle, &ModelOptions::default()).unwrap();
        let nucleotide = model.nucleotide.embed(&["ACGTACGTNNACGT"]).unwrap();
        let protein = model.protein.embed(&["MKXV"]).unwrap();
        let [others, virus] = model.head.score(&nucleotide, &protein).unwrap()[0];
        assert!((others + virus - 1.0).abs() < 1e-6);
        assert!(model.device_name().starts_with("cpu ("));
    }
}
