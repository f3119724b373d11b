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
    let tokenizer =
        tokenizer.map_or_else(|| config_path.with_file_name("tokenizer.json"), Path::to_owned);
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
        fs_err::metadata(path)?;
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
    let is_safetensors = path.extension().is_some_and(|extension| extension == "safetensors");
    if path.exists() && !is_safetensors {
        return Err(Error::WeightsFormat { path: path.to_owned() });
    }
    Ok(())
}

fn read_json<T: DeserializeOwned>(path: &Path) -> Result<T, Error> {
    serde_json::from_slice(&fs_err::read(path)?)
        .map_err(|source| Error::Json { file: path.display().to_string(), source })
}

fn source(weights: &Weights) -> Value {
    json!({ "file": weights.label(), "left_out": weights.unused() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{fixture, random_esm2, random_head, tokenizer_json};
    use crate::weights::write::write;
    use crate::{Encoder, ModelOptions, load_dnabert, load_esm2};

    fn options(directory: &Path) -> ImportOptions {
        let tokenizer = directory.join("tokenizer.json");
        fs_err::write(&tokenizer, tokenizer_json()).unwrap();
        ImportOptions {
            esm2: fixture("parity/esm2"),
            dnabert: fixture("parity/dnabert"),
            tokenizer: Some(tokenizer),
            head: fixture("parity/head.safetensors"),
            expected_length: 500,
            name: "parity".to_owned(),
            out: directory.join("out"),
            licence: "MIT".to_owned(),
            provenance: json!({"note": "n"}),
        }
    }

    #[test]
    fn imports_distributed_weights() {
        let directory = tempfile::tempdir().unwrap();
        let options = options(directory.path());
        let bundle = import(&options).unwrap();
        assert_eq!((bundle.name(), bundle.expected_length()), ("parity", 500));
        let provenance = bundle.provenance();
        assert_eq!(provenance["note"], "n");
        let left_out = provenance["imported"]["dnabert"]["left_out"].as_array().unwrap();
        assert_eq!(left_out, &["pooler.dense.bias", "pooler.dense.weight"]);
        assert_eq!(provenance["imported"]["esm2"]["left_out"].as_array().unwrap().len(), 7);

        // From the bundle or from where it came: the same encoders.
        let load = ModelOptions::default();
        let protein = |path: &Path| load_esm2(path, &load).unwrap().embed(&["MKVX"]).unwrap();
        assert_eq!(protein(&options.out), protein(&options.esm2));
        assert_eq!(protein(&options.esm2.join("model.safetensors")), protein(&options.esm2));
        let nucleotide = |path: &Path, tokenizer: Option<&Path>| {
            load_dnabert(path, tokenizer, &load).unwrap().embed(&["ACGTT"]).unwrap()
        };
        assert_eq!(
            nucleotide(&options.out, None),
            nucleotide(&options.dnabert, options.tokenizer.as_deref())
        );
    }

    fn refused(change: impl FnOnce(&Path, &mut ImportOptions)) -> Error {
        let directory = tempfile::tempdir().unwrap();
        let mut options = options(directory.path());
        change(directory.path(), &mut options);
        let error = import(&options).unwrap_err();
        assert!(!options.out.exists(), "{error}");
        error
    }

    #[test]
    fn formats_of_the_next_version_are_refused() {
        for name in ["esm2_t36.pt", "pytorch_model.bin", "head.pth", "model.safetensors.index.json"]
        {
            let error = refused(|directory, options| {
                options.esm2 = directory.join(name);
                fs_err::write(&options.esm2, b"PK").unwrap();
            });
            let Error::WeightsFormat { path } = error else { panic!("{error}") };
            assert!(path.ends_with(name));
        }
        let error = refused(|directory, options| {
            options.dnabert = directory.join("dnabert");
            fs_err::create_dir(&options.dnabert).unwrap();
            fs_err::write(options.dnabert.join("pytorch_model.bin"), b"PK").unwrap();
        });
        let Error::WeightsFormat { path } = error else { panic!("{error}") };
        assert!(path.ends_with("dnabert/pytorch_model.bin"));
    }

    #[test]
    fn missing_files_are_named() {
        let error = refused(|_, options| options.tokenizer = None);
        assert!(matches!(error, Error::Io { .. }), "{error}");
        assert!(error.to_string().contains("dnabert/tokenizer.json"), "{error}");
        let error = refused(|directory, options| options.esm2 = directory.join("nowhere"));
        assert!(error.to_string().contains("nowhere"), "{error}");
    }

    #[test]
    fn a_tokenizer_beyond_the_table_is_refused() {
        let error = refused(|directory, options| {
            let mut json: Value = serde_json::from_slice(&tokenizer_json()).unwrap();
            json["model"]["vocab"]["ACGTACGT"] = json!(4096);
            let path = directory.join("large.json");
            fs_err::write(&path, json.to_string()).unwrap();
            options.tokenizer = Some(path);
        });
        let Error::Vocabulary { expected, found, .. } = error else { panic!("{error}") };
        assert_eq!((expected, found), (4096, 4097));
        let error = refused(|directory, options| {
            let path = directory.join("broken.json");
            fs_err::write(&path, "{}").unwrap();
            options.tokenizer = Some(path);
        });
        let Error::Tokenizer { file, .. } = error else { panic!("{error}") };
        assert!(file.ends_with("broken.json"));
    }

    #[test]
    fn a_head_of_another_size_is_refused() {
        let error = refused(|directory, options| {
            options.head = directory.join("head.safetensors");
            let head = head::select(Arc::new(random_head(161, 4, 1))).unwrap();
            write(&options.head, &head).unwrap();
        });
        let Error::HeadSize { found, nucleotide, protein, .. } = error else { panic!("{error}") };
        assert_eq!((found, nucleotide, protein), (161, 96, 64));
    }

    #[test]
    fn layers_must_agree_on_rotary_frequencies() {
        let (config, mut tensors) = random_esm2(1, "esm.", true);
        let name = "esm.encoder.layer.1.attention.self.rotary_embeddings.inv_freq";
        tensors.insert_f32(name, &[4], &[1.0, 0.5, 0.25, 0.124]);
        let Err(Error::RotaryMismatch { name: found, .. }) =
            crate::encoder::esm2::select(&config, Arc::new(tensors))
        else {
            panic!()
        };
        assert!(found.ends_with("rotary_embeddings.inv_freq"), "{found}");
    }
}
