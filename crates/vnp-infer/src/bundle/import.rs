//! Making a bundle of weights as they are distributed.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::write::BundleWriter;
use super::{Bundle, DnabertFiles, Esm2Files};
use crate::encoder::dnabert;
use crate::encoder::esm2::fair;
use crate::weights::checkpoint::CheckpointTensors;
use crate::weights::file::TensorFile;
use crate::weights::sharded::ShardedTensors;
use crate::weights::{TensorSource, Weights};
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

/// An ESM-2 network: in a transformers directory or beside its config, or in a file of fair-esm,
/// which needs no config.
pub(crate) fn read_esm2(path: &Path) -> Result<Esm2Files, Error> {
    let (weights, config) = locate(path)?;
    if is_pytorch(&weights) && !config.is_file() {
        let tensors = CheckpointTensors::open(&weights, fair::rename)?;
        let config = fair::config(&tensors, tensors.metadata())?;
        return Esm2Files::new(config, Arc::new(tensors));
    }
    Esm2Files::new(read_json(&config)?, open_weights(&weights)?)
}

/// A DNABERT network with its tokenizer.
pub(crate) fn read_dnabert(path: &Path, tokenizer: Option<&Path>) -> Result<DnabertFiles, Error> {
    let (weights, config_path) = locate(path)?;
    let config: DnabertConfig = read_json(&config_path)?;
    let tokenizer =
        tokenizer.map_or_else(|| config_path.with_file_name("tokenizer.json"), Path::to_owned);
    Ok(DnabertFiles {
        weights: dnabert::select(&config, open_weights(&weights)?)?,
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

/// What weights are called in a transformers directory, the best form first.
const WEIGHTS: [&str; 4] = [
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
];

/// The weights and config that a path, a directory or a file, stands for.
fn locate(path: &Path) -> Result<(PathBuf, PathBuf), Error> {
    if !path.is_dir() {
        fs_err::metadata(path)?;
        return Ok((path.to_owned(), path.with_file_name("config.json")));
    }
    let found = WEIGHTS.iter().map(|name| path.join(name)).find(|weights| weights.exists());
    let weights = found.ok_or_else(|| Error::NoWeights { directory: path.to_owned() })?;
    Ok((weights, path.join("config.json")))
}

/// Tensors of a file of any form: safetensors, PyTorch, or an index of several.
fn open_weights(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    if path.extension().is_some_and(|extension| extension == "json") {
        return Ok(Arc::new(ShardedTensors::open(path, open_weights_file)?));
    }
    open_weights_file(path)
}

fn open_weights_file(path: &Path) -> Result<Arc<dyn TensorSource>, Error> {
    if is_pytorch(path) {
        return Ok(Arc::new(CheckpointTensors::open(path, str::to_owned)?));
    }
    match path.extension().is_some_and(|extension| extension == "safetensors") {
        true => Ok(Arc::new(TensorFile::open(path)?)),
        false => Err(Error::WeightsFormat { path: path.to_owned() }),
    }
}

fn is_pytorch(path: &Path) -> bool {
    let extension = path.extension().unwrap_or_default();
    ["pt", "pth", "bin"].iter().any(|known| extension.eq_ignore_ascii_case(known))
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
    fn what_is_no_file_of_weights_is_refused() {
        let error = refused(|directory, options| {
            options.esm2 = directory.join("esm2.onnx");
            fs_err::write(&options.esm2, b"PK").unwrap();
            fs_err::write(directory.join("config.json"), "{}").unwrap();
        });
        assert!(error.to_string().contains("missing field"), "{error}");
        let error = refused(|directory, options| {
            options.head = directory.join("head.onnx");
            fs_err::write(&options.head, b"PK").unwrap();
        });
        let Error::WeightsFormat { path } = error else { panic!("{error}") };
        assert!(path.ends_with("head.onnx"));
        let error = refused(|directory, options| {
            options.head = directory.join("head.pth");
            fs_err::write(&options.head, b"PK\x03\x04").unwrap();
        });
        let Error::Checkpoint(vnp_ckpt::Error::BadArchive { path, .. }) = error else {
            panic!("{error}")
        };
        assert!(path.ends_with("head.pth"));
        let error = refused(|directory, options| {
            options.dnabert = directory.join("dnabert");
            fs_err::create_dir(&options.dnabert).unwrap();
        });
        let Error::NoWeights { directory } = error else { panic!("{error}") };
        assert!(directory.ends_with("dnabert"));
    }

    /// The networks of the parity tests as each distribution has them.
    #[test]
    fn every_distribution_of_a_model_makes_one_bundle() {
        let Some(parity) = crate::testing::shared("parity") else { return };
        let directory = tempfile::tempdir().unwrap();
        let digests = |name: &str, esm2: &str, dnabert: &Path, head: &str| {
            let options = ImportOptions {
                esm2: parity.join(esm2),
                dnabert: dnabert.to_owned(),
                head: parity.join(head),
                out: directory.path().join(name),
                ..options(directory.path())
            };
            import(&options).unwrap().digests().clone()
        };
        let bin = directory.path().join("bin");
        fs_err::create_dir(&bin).unwrap();
        for name in ["config.json", "pytorch_model.bin"] {
            fs_err::copy(parity.join("dnabert").join(name), bin.join(name)).unwrap();
        }
        let first = digests("a", "esm2_hf", &parity.join("dnabert"), "head.pth");
        let second = digests("b", "esm2_fair/esm2_tiny.pt", &bin, "head_state_dict.pth");
        assert_eq!(first, second);
    }

    #[test]
    fn shards_are_read_by_their_index() {
        let directory = tempfile::tempdir().unwrap();
        let options = options(directory.path());
        let whole = read_esm2(&options.esm2).unwrap();
        let sharded = directory.path().join("sharded");
        fs_err::create_dir(&sharded).unwrap();
        fs_err::copy(options.esm2.join("config.json"), sharded.join("config.json")).unwrap();
        let mut weight_map = serde_json::Map::new();
        let source = TensorFile::open(&options.esm2.join("model.safetensors")).unwrap();
        let mut halves = [crate::Tensors::default(), crate::Tensors::default()];
        for (place, name) in source.names().into_iter().enumerate() {
            let info = source.info(name).unwrap();
            let values: Vec<f32> = source
                .read(name)
                .unwrap()
                .as_chunks()
                .0
                .iter()
                .map(|bytes| f32::from_le_bytes(*bytes))
                .collect();
            halves[place % 2].insert_f32(name, &info.shape, &values);
            weight_map.insert(name.to_owned(), json!(format!("model-{}.safetensors", place % 2)));
        }
        for (number, half) in halves.into_iter().enumerate() {
            let path = sharded.join(format!("model-{number}.safetensors"));
            fs_err::write(path, safetensors_of(&half)).unwrap();
        }
        let index = sharded.join("model.safetensors.index.json");
        let write_index = |map: &serde_json::Map<String, Value>| {
            fs_err::write(&index, json!({ "weight_map": map }).to_string()).unwrap();
        };
        write_index(&weight_map);
        let read = read_esm2(&sharded).unwrap();
        for (name, info) in whole.weights.infos() {
            let found = read.weights.infos().find(|(found, _)| *found == name).unwrap();
            assert_eq!(found.1, info);
            assert_eq!(read.weights.read(name).unwrap(), whole.weights.read(name).unwrap());
        }
        // A tensor that the index puts into the other file, one that it does not know, and a file
        // elsewhere.
        let (name, _) = whole.weights.infos().next().unwrap();
        let theirs = format!("esm.{name}");
        let mut wrong = weight_map.clone();
        let other = if wrong[&theirs] == "model-0.safetensors" { 1 } else { 0 };
        wrong[&theirs] = json!(format!("model-{other}.safetensors"));
        write_index(&wrong);
        assert!(matches!(
            read_esm2(&sharded).unwrap_err(),
            Error::MissingTensor { .. } | Error::SurplusTensors { .. }
        ));
        wrong.remove(&theirs);
        write_index(&wrong);
        let Err(Error::SurplusTensors { names, .. }) = read_esm2(&sharded) else { panic!() };
        assert_eq!(names, std::slice::from_ref(&theirs));
        wrong.insert(theirs, json!("../model-0.safetensors"));
        write_index(&wrong);
        let Err(Error::ShardName { file, .. }) = read_esm2(&sharded) else { panic!() };
        assert_eq!(file, "../model-0.safetensors");
    }

    /// A safetensors file of f32 tensors.
    fn safetensors_of(tensors: &crate::Tensors) -> Vec<u8> {
        let names: Vec<String> = tensors.names().into_iter().map(str::to_owned).collect();
        let bytes: Vec<Vec<u8>> = names.iter().map(|name| tensors.read(name).unwrap()).collect();
        let views = names.iter().zip(&bytes).map(|(name, bytes)| {
            let info = tensors.info(name).unwrap();
            let view = safetensors::tensor::TensorView::new(info.dtype, info.shape.clone(), bytes);
            (name.clone(), view.unwrap())
        });
        safetensors::serialize(views, None).unwrap()
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
