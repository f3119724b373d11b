//! Bundles that are damaged, and bundles with other heads.

use std::path::PathBuf;

use super::*;
use crate::encoder::ModelOptions;
use crate::model::Model;
use crate::testing::{random_fallback_writer, random_head, random_writer};
use crate::weights::write::write;

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
    let Error::Json { file, .. } = opened_after("bundle.json", |bytes| bytes.truncate(20)) else {
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
        let Error::Io { cause: source } = &error else { panic!("{error}") };
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
    let wider = |bytes: &mut Vec<u8>| replace(bytes, "\"hidden_size\": 16", "\"hidden_size\": 32");
    let Error::TensorShape { name, expected, .. } = opened_after("esm2/config.json", wider) else {
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

#[test]
fn a_fallback_head_is_proved_as_the_others_are() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("b");
    let bundle = random_fallback_writer(1).write(&path).unwrap();
    assert!(bundle.has_fallback());
    let model = Model::load(&bundle, &ModelOptions::default()).unwrap();
    let [others, virus] = model.fallback.unwrap().score(&[0.5; 24]).unwrap()[0];
    assert!((others + virus - 1.0).abs() < 1e-6);
    let file = path.join("fallback.safetensors");
    let whole = fs_err::read(&file).unwrap();
    let mut changed = whole.clone();
    *changed.last_mut().unwrap() ^= 1;
    fs_err::write(&file, changed).unwrap();
    let Err(Error::BundleDigest { file: found, .. }) = Bundle::open(&path) else { panic!() };
    assert!(found.ends_with("fallback.safetensors"), "{found}");
    // That of another encoder.
    let select = |features| head::tensors::select(Arc::new(random_head(features, 5, 9))).unwrap();
    write(&file, &select(40), &mut sha2::Digest::new()).unwrap();
    let Err(Error::FallbackSize { found: 40, nucleotide: 24, .. }) = Bundle::open(&path) else {
        panic!()
    };
    fs_err::remove_file(&file).unwrap();
    let error = Bundle::open(&path).unwrap_err();
    assert!(error.to_string().contains("fallback.safetensors"), "{error}");
}

#[test]
fn a_bundle_without_a_fallback_head_does_not_speak_of_it() {
    let (_keep, path) = bundle();
    let bundle = Bundle::open(&path).unwrap();
    assert!(!bundle.has_fallback() && bundle.digests().fallback.is_none());
    assert!(Model::load(&bundle, &ModelOptions::default()).unwrap().fallback.is_none());
    let manifest = fs_err::read_to_string(path.join("bundle.json")).unwrap();
    assert!(!manifest.contains("fallback"), "{manifest}");
    // A file that the manifest does not name is ignored.
    fs_err::write(path.join("fallback.safetensors"), "x").unwrap();
    assert!(!Bundle::open(&path).unwrap().has_fallback());
}

fn head_file(directory: &Path, features: usize) -> PathBuf {
    let path = directory.join("head.safetensors");
    let weights = head::tensors::select(Arc::new(random_head(features, 5, 9))).unwrap();
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
