//! Importing, from distributed files to an opened bundle.

use std::path::Path;
use std::sync::Arc;

use super::*;
use crate::architecture::NetworkSource;
use crate::encoder::{Encoder, ModelOptions};
use crate::error::weights::WeightsError;
use crate::head;
use crate::model::{load_dnabert, load_esm2};
use crate::testing::{fixture, random_esm2, random_head, tokenizer_json};
use crate::weights::write::write;

fn options(directory: &Path) -> ImportOptions {
    let tokenizer = directory.join("tokenizer.json");
    fs_err::write(&tokenizer, tokenizer_json()).unwrap();
    ImportOptions {
        esm2: fixture("parity/esm2"),
        dnabert: fixture("parity/dnabert"),
        tokenizer: Some(tokenizer),
        head: fixture("parity/head.safetensors"),
        fallback: None,
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
    let left_out = bundle.left_out();
    let of = |file: &Path| left_out.iter().find(|(found, _)| Path::new(found).starts_with(file));
    assert_eq!(of(&options.esm2).unwrap().1.len(), 7);
    assert_eq!(of(&options.dnabert).unwrap().1, ["pooler.dense.bias", "pooler.dense.weight"]);
    assert_eq!(of(&options.head).unwrap().1, ["bn1.num_batches_tracked"]);
    assert_eq!(left_out.len(), 3);
    assert!(Bundle::embedded().unwrap().left_out().is_empty());

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

#[test]
fn a_fallback_head_is_imported_beside_the_other() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    let file = directory.path().join("fallback.safetensors");
    let (dnabert, _) = read_dnabert(&options.dnabert, options.tokenizer.as_deref()).unwrap();
    let width = dnabert.config.hidden_size;
    let tensors = |width| head::tensors::select(Arc::new(random_head(width, 4, 1))).unwrap();
    write(&file, &tensors(width), &mut sha2::Digest::new()).unwrap();
    options.fallback = Some(file.clone());
    let bundle = import(&options).unwrap();
    assert!(bundle.has_fallback());
    assert_eq!(bundle.provenance()["imported"]["fallback"]["left_out"], json!([]));
    write(&file, &tensors(width + 1), &mut sha2::Digest::new()).unwrap();
    options.out = directory.path().join("other");
    let Err(Error::FallbackSize { found, .. }) = import(&options) else { panic!() };
    assert_eq!(found, width + 1);
    assert!(!options.out.exists());
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
fn other_files_are_refused() {
    let error = refused(|directory, options| {
        options.esm2 = directory.join("esm2.onnx");
        fs_err::write(&options.esm2, b"\x08\x07\x12\x07pytorch").unwrap();
    });
    let Error::WeightsFormat { path } = error else { panic!("{error}") };
    assert!(path.ends_with("esm2.onnx"));
    let error = refused(|directory, options| {
        let esm2 = directory.join("esm2");
        fs_err::create_dir(&esm2).unwrap();
        let weights = options.esm2.join("model.safetensors");
        fs_err::copy(weights, esm2.join("model.safetensors")).unwrap();
        fs_err::write(esm2.join("config.json"), "{}").unwrap();
        options.esm2 = esm2;
    });
    let Error::Json { file, cause } = error else { panic!("{error}") };
    assert!(file.ends_with("config.json") && cause.to_string().contains("missing field"));
    let error = refused(|directory, options| {
        options.head = directory.join("head.onnx");
        fs_err::write(&options.head, b"\x08\x07\x12\x07pytorch").unwrap();
    });
    let Error::WeightsFormat { path } = error else { panic!("{error}") };
    assert!(path.ends_with("head.onnx"));
    let error = refused(|directory, options| {
        options.head = directory.join("head.pth");
        fs_err::write(&options.head, b"PK\x03\x04").unwrap();
    });
    let Error::Weights(WeightsError::Damaged { file, found, .. }) = error else {
        panic!("{error}")
    };
    assert!(file.ends_with("head.pth") && found.starts_with("archive record"), "{found}");
    let error = refused(|directory, options| {
        options.dnabert = directory.join("dnabert");
        fs_err::create_dir(&options.dnabert).unwrap();
    });
    let Error::NoWeights { directory, nearby } = error else { panic!("{error}") };
    assert!(nearby.is_empty() && directory.ends_with("dnabert"));
}

/// A head of ours in place of a published one.
#[test]
fn a_published_head_is_imported_for_its_length_alone() {
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    options.head = fixture("torch/head.pth");
    let blob: &'static str = super::super::published::git_blob(&options.head).unwrap().leak();
    let known = [PublishedHead { file: "300_model.pth", git_blob: blob, expected_length: 300 }];
    let error = import_knowing(&options, &known).unwrap_err().to_string();
    assert!(error.contains("300_model.pth") && error.contains("300 bp, not 500 bp"), "{error}");
    assert!(!options.out.exists());
    options.expected_length = 300;
    let bundle = import_knowing(&options, &known).unwrap();
    assert_eq!(bundle.expected_length_source(), Some(LengthSource::PublishedHead));
    let head = &bundle.provenance()["imported"]["head"];
    assert_eq!((&head["git_blob"], &head["published"]), (&json!(blob), &json!("300_model.pth")));

    // Of any other head only the user knows the length.
    options.out = directory.path().join("unknown");
    options.expected_length = 700;
    let bundle = import(&options).unwrap();
    assert_eq!(bundle.expected_length_source(), Some(LengthSource::Stated));
    let head = &bundle.provenance()["imported"]["head"];
    assert_eq!((&head["git_blob"], &head["published"]), (&json!(blob), &Value::Null));
    let manifest = fs_err::read_to_string(options.out.join("bundle.json")).unwrap();
    assert!(manifest.contains("\"expected_length_source\": \"stated\""), "{manifest}");

    // Bundles of earlier versions, and of later ones.
    let write = |from: &str, to: &str| {
        fs_err::write(options.out.join("bundle.json"), manifest.replace(from, to)).unwrap();
        Bundle::open(&options.out).unwrap().expected_length_source()
    };
    assert_eq!(write("\"expected_length_source\": \"stated\",", ""), None);
    assert_eq!(write("\"stated\"", "\"measured\""), Some(LengthSource::Other));
}

/// A safetensors file with another second element of a tensor.
fn with_value(good: &[u8], tensor: &str, value: f32) -> Vec<u8> {
    let tensors = safetensors::SafeTensors::deserialize(good).unwrap();
    let tensor = tensors.tensor(tensor).unwrap();
    assert_eq!(tensor.dtype(), safetensors::Dtype::F32);
    let start = tensor.data().as_ptr() as usize - good.as_ptr() as usize;
    let mut bad = good.to_vec();
    bad[start + 4..start + 8].copy_from_slice(&value.to_le_bytes());
    bad
}

/// Of what the network does not use any value is left out with its tensor.
#[test]
fn values_that_no_network_has_are_not_imported() {
    let with = |directory: &Path, options: &mut ImportOptions, tensor: &str| {
        let esm2 = directory.join("esm2");
        fs_err::create_dir(&esm2).unwrap();
        fs_err::copy(options.esm2.join("config.json"), esm2.join("config.json")).unwrap();
        let good = fs_err::read(options.esm2.join("model.safetensors")).unwrap();
        fs_err::write(esm2.join("model.safetensors"), with_value(&good, tensor, f32::NAN)).unwrap();
        options.esm2 = esm2;
    };
    let name = "esm.encoder.layer.1.LayerNorm.weight";
    let error = refused(|directory, options| with(directory, options, name)).to_string();
    assert!(error.contains(&format!("tensor {name} holds NaN at index [1]")), "{error}");
    let directory = tempfile::tempdir().unwrap();
    let mut options = options(directory.path());
    with(directory.path(), &mut options, "lm_head.bias");
    let load = |path: &Path| load_esm2(path, &ModelOptions::default());
    drop(load(&options.esm2).unwrap());
    drop(import(&options).unwrap());
    // Loaded without an import, too.
    let directory = tempfile::tempdir().unwrap();
    with(directory.path(), &mut options, name);
    let error = load(&options.esm2).unwrap_err().to_string();
    assert!(error.contains("holds NaN"), "{error}");
}

/// Bundles that earlier versions wrote may hold such values, with the digests of them.
#[test]
fn a_bundle_with_values_that_no_network_has_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    let options = options(directory.path());
    drop(import(&options).unwrap());
    let check = |file: &str, tensor: &str, value: f32, expected: &str| {
        let path = options.out.join(file);
        let good = fs_err::read(&path).unwrap();
        fs_err::write(&path, with_value(&good, tensor, value)).unwrap();
        let error = Bundle::open(&options.out).unwrap_err().to_string();
        let named = error.contains(file) && error.contains(&format!("tensor {tensor} holds"));
        assert!(named && error.contains(expected), "{error}");
        fs_err::write(&path, good).unwrap();
    };
    check("head.safetensors", "hidden_layer.weight", f32::NAN, "NaN at index [0, 1]");
    check("head.safetensors", "output_layer.bias", f32::INFINITY, "inf at index [1]");
    check("head.safetensors", "bn1.running_var", -1.0, "a variance of -1 at index [1]");
    let (esm2, dnabert) = ("esm2/model.safetensors", "dnabert/model.safetensors");
    check(esm2, "encoder.layer.0.LayerNorm.bias", f32::NAN, "NaN at index [1]");
    check(dnabert, "embeddings.LayerNorm.weight", f32::NEG_INFINITY, "-inf at index [1]");
    drop(Bundle::open(&options.out).unwrap());
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
        let head = head::tensors::select(Arc::new(random_head(161, 4, 1))).unwrap();
        write(&options.head, &head, &mut sha2::Digest::new()).unwrap();
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
        NetworkSource::new(config, Arc::new(tensors))
    else {
        panic!()
    };
    assert!(found.ends_with("rotary_embeddings.inv_freq"), "{found}");
}
