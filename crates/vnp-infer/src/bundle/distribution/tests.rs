//! Each network in every form in which it is distributed, and in forms that are refused.

use std::collections::BTreeMap;

use vnp_ckpt::Value;

use super::*;
use crate::bundle::manifest::{head_digest, network_digest};
use crate::error::weights::WeightsError;
use crate::testing::distribute::{
    fair_name, renamed, write_index, write_safetensors, write_shards, write_torch,
};
use crate::testing::{
    dnabert_config, fixture, random_esm2, random_head, random_tensors, shared, tokenizer_json,
};
use crate::weights::tensors::Tensors;
use crate::weights::write::digest;

mod mistakes;

const FAIR: &str = "model.encoder.sentence_encoder.";
const HF: (&str, &str) = ("model", "safetensors");
const BIN: (&str, &str) = ("pytorch_model", "bin");

fn esm2_digest(path: &Path) -> String {
    let files = read_esm2(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    network_digest(&files, None, |hasher| digest(&files.weights, hasher)).unwrap()
}

fn dnabert_digest(network: &NetworkSource<DnabertConfig>, tokenizer: &TokenizerFile) -> String {
    network_digest(network, Some(tokenizer), |hasher| digest(&network.weights, hasher)).unwrap()
}

/// Settings as fair-esm stores them, with a width of the feed-forward that it does not use.
fn settings(layers: i64, key: &str) -> Vec<(&'static str, Value)> {
    let settings: [(&str, Value); 5] = [
        ("encoder_layers", layers.into()),
        ("encoder_embed_dim", 16.into()),
        ("encoder_ffn_embed_dim", 3072.into()),
        ("encoder_attention_heads", 2.into()),
        ("token_dropout", true.into()),
    ];
    let map = settings.map(|(key, value)| (key.to_owned(), value));
    let settings = Value::Map(BTreeMap::from(map));
    match key {
        "cfg" => vec![("cfg", Value::Map(BTreeMap::from([("model".to_owned(), settings)])))],
        _ => vec![("args", settings)],
    }
}

/// A network, and a directory for files of it.
fn esm2(in_f32: bool) -> (tempfile::TempDir, Esm2Config, Tensors) {
    let (config, tensors) = random_esm2(1, "", true);
    let copies = |name: &str| name != "rotary_embeddings.inv_freq";
    let tensors = renamed(&tensors, in_f32, |name| copies(name).then(|| name.to_owned()));
    (tempfile::tempdir().unwrap(), config, tensors)
}

fn hf(tensors: &Tensors) -> Tensors {
    let mut tensors = renamed(tensors, false, |name| Some(format!("esm.{name}")));
    tensors.insert_f32("lm_head.bias", &[33], &[0.0; 33]);
    tensors.insert_f32("esm.contact_head.regression.weight", &[1, 4], &[0.0; 4]);
    tensors.insert_f32("esm.embeddings.position_embeddings.weight", &[2, 16], &[0.0; 32]);
    tensors.insert_f32("classifier.dense.bias", &[1], &[0.0]);
    tensors
}

#[test]
fn every_form_of_esm2_is_one_network() {
    for in_f32 in [false, true] {
        let (directory, config, tensors) = esm2(in_f32);
        let path = |name: &str| directory.path().join(name);
        let config_json = serde_json::to_vec(&config).unwrap();
        let with_config = |name: &str| {
            fs_err::create_dir(path(name)).unwrap();
            fs_err::write(path(name).join("config.json"), &config_json).unwrap();
            path(name)
        };
        let whole = with_config("hf");
        write_safetensors(&whole.join("model.safetensors"), &hf(&tensors));
        let expected = esm2_digest(&whole);
        let check = |path: &Path| assert_eq!(esm2_digest(path), expected, "{path:?}");
        check(&whole.join("model.safetensors"));
        let bin = with_config("bin");
        write_torch(&bin.join("pytorch_model.bin"), &hf(&tensors), &[]);
        check(&bin);
        let shards = with_config("shards");
        write_shards(&shards, HF, &hf(&tensors));
        check(&shards);
        let bin_shards = with_config("bin-shards");
        write_shards(&bin_shards, BIN, &hf(&tensors));
        check(&bin_shards);
        check(&bin_shards.join("pytorch_model.bin.index.json"));
        // Without a config: the rotary frequencies give the number of heads.
        for directory in [&whole, &bin, &shards] {
            fs_err::remove_file(directory.join("config.json")).unwrap();
            check(directory);
        }
        for prefix in [FAIR, "model.encoder.", "encoder.sentence_encoder.", ""] {
            let mut fair = renamed(&tensors, false, |name| Some(fair_name(prefix, name)));
            fair.insert_f32("model.encoder.lm_head.bias", &[33], &[0.0; 33]);
            for metadata in [vec![], settings(2, "cfg"), settings(2, "args")] {
                write_torch(&path("esm2_t2.pt"), &fair, &metadata);
                check(&path("esm2_t2.pt"));
            }
        }
        // The config of another network next to it is ignored.
        fs_err::write(path("config.json"), "{}").unwrap();
        check(&path("esm2_t2.pt"));
        let alone = path("fair");
        fs_err::create_dir(&alone).unwrap();
        fs_err::copy(path("esm2_t2.pt"), alone.join("esm2_t2.pt")).unwrap();
        fs_err::write(alone.join("esm2_t2-contact-regression.pt"), "ignored").unwrap();
        check(&alone);
    }
}

#[test]
fn what_is_left_out_has_the_names_of_the_file() {
    let (directory, _, tensors) = esm2(false);
    let path = directory.path().join("a.pt");
    let mut fair = renamed(&tensors, false, |name| Some(fair_name(FAIR, name)));
    fair.insert_f32("model.encoder.lm_head.weight", &[1], &[0.0]);
    fair.insert_f32("model.encoder.contact_head.regression.bias", &[1], &[0.0]);
    write_torch(&path, &fair, &[]);
    let left_out = ["model.encoder.contact_head.regression.bias", "model.encoder.lm_head.weight"];
    assert_eq!(read_esm2(&path).unwrap().weights.unused(), left_out);
}

#[test]
fn faults_are_named_as_in_the_file() {
    let (directory, _, tensors) = esm2(false);
    let path = directory.path().join("a.pt");
    let broken = |metadata: &[(&str, Value)], change: &dyn Fn(&str) -> Option<String>| {
        let fair = renamed(&tensors, false, |name| change(&fair_name(FAIR, name)));
        write_torch(&path, &fair, metadata);
        read_esm2(&path).unwrap_err()
    };
    let missing = |error: Error, expected: &str| {
        let Error::MissingTensor { name, .. } = error else { panic!("{error}") };
        assert_eq!(name, expected);
    };
    let whole = |name: &str| Some(name.to_owned());
    // A file that states three layers and has two is not a network of two.
    let third = "encoder.layer.2.attention.LayerNorm.weight";
    missing(broken(&settings(3, "cfg"), &whole), third);
    let hole = |name: &str| Some(name.replace(".layers.1.", ".layers.7."));
    missing(broken(&[], &hole), "encoder.layer.1.attention.LayerNorm.weight");
    let bias = "model.encoder.sentence_encoder.layers.1.fc1.bias";
    let without = |name: &str| (name != bias).then(|| name.to_owned());
    missing(broken(&[], &without), "encoder.layer.1.intermediate.dense.bias");
    let other = |name: &str| Some(name.replace("layers.1.fc1.bias", "layers.1.fc9.bias"));
    missing(broken(&[], &other), "encoder.layer.1.intermediate.dense.bias");

    let mut fair = renamed(&tensors, false, |name| Some(fair_name(FAIR, name)));
    fair.insert_f32("model.encoder.sentence_encoder.embed_positions.weight", &[1], &[0.0]);
    write_torch(&path, &fair, &[]);
    let Err(Error::SurplusTensors { names, .. }) = read_esm2(&path) else { panic!() };
    assert_eq!(names, ["model.encoder.sentence_encoder.embed_positions.weight"]);
    let mut fair = renamed(&tensors, false, |name| Some(fair_name(FAIR, name)));
    fair.insert_f32(bias, &[63], &[0.0; 63]);
    write_torch(&path, &fair, &[]);
    let Err(Error::TensorShape { name, expected, found, .. }) = read_esm2(&path) else { panic!() };
    assert_eq!((name.as_str(), expected, found), (bias, vec![64], vec![63]));
}

#[test]
fn a_directory_holds_one_network() {
    let (directory, _, tensors) = esm2(false);
    let regression = directory.path().join("a-contact-regression.pt");
    let mut head = Tensors::default();
    head.insert_f32("model.regression.weight", &[1], &[0.0]);
    write_torch(&regression, &head, &[]);
    let Err(Error::NoWeights { .. }) = read_esm2(directory.path()) else { panic!() };
    let Err(Error::MissingTensor { name, .. }) = read_esm2(&regression) else { panic!() };
    assert_eq!(name, "embeddings.word_embeddings.weight");
    let fair = renamed(&tensors, false, |name| Some(fair_name(FAIR, name)));
    for name in ["b.pt", "a.pt"] {
        write_torch(&directory.path().join(name), &fair, &[]);
    }
    let Err(Error::AmbiguousWeights { names, .. }) = read_esm2(directory.path()) else { panic!() };
    assert_eq!(names, ["a.pt", "b.pt"]);
}

#[test]
fn every_form_of_dnabert_is_one_network() {
    let config = dnabert_config(24, 2, 3);
    let tensors = random_tensors(config.tensors(), 5);
    let directory = tempfile::tempdir().unwrap();
    let digest_of = |name: &str| {
        let path = directory.path().join(name);
        let (network, tokenizer) = read_dnabert(&path, None).unwrap();
        assert_eq!(network.weights.unused().len(), 2);
        dnabert_digest(&network, &tokenizer)
    };
    let make = |name: &str| {
        let path = directory.path().join(name);
        fs_err::create_dir(&path).unwrap();
        fs_err::write(path.join("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
        fs_err::write(path.join("tokenizer.json"), tokenizer_json()).unwrap();
        path
    };
    let prefixed = |prefix: &str| {
        let mut tensors = renamed(&tensors, false, |name| Some(format!("{prefix}{name}")));
        tensors.insert_f32(format!("{prefix}pooler.dense.bias"), &[1], &[0.0]);
        tensors.insert_f32("classifier.bias", &[1], &[0.0]);
        tensors
    };
    let whole = make("whole");
    write_safetensors(&whole.join("model.safetensors"), &prefixed(""));
    let expected = digest_of("whole");
    write_safetensors(&make("bert").join("model.safetensors"), &prefixed("bert."));
    write_torch(&make("bin").join("pytorch_model.bin"), &prefixed(""), &[]);
    write_torch(&make("bert-bin").join("pytorch_model.bin"), &prefixed("bert."), &[]);
    write_shards(&make("shards"), HF, &prefixed(""));
    write_shards(&make("bin-shards"), BIN, &prefixed("bert."));
    for name in ["bert", "bin", "bert-bin", "shards", "bin-shards"] {
        assert_eq!(digest_of(name), expected, "{name}");
    }
}

#[test]
fn every_form_of_a_head_is_one_head() {
    let digest_of = |path: &Path| head_digest(&read_head(path).unwrap()).unwrap();
    let expected = digest_of(&fixture("parity/head.safetensors"));
    assert_eq!(digest_of(&fixture("torch/head.pth")), expected);
    assert_eq!(digest_of(&fixture("torch/head_state_dict.pth")), expected);

    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("h.pth");
    let head = random_head(4, 2, 1);
    write_torch(&path, &head, &[("epoch", 3.into())]);
    let expected = digest_of(&path);
    let wrapped = renamed(&head, false, |name| Some(format!("state_dict.module.{name}")));
    write_torch(&path, &wrapped, &[]);
    assert_eq!(digest_of(&path), expected);
}

/// The names that wrappers put before all names of a network, those of a submodule that was compiled
/// by itself, and of a training checkpoint.
const WRAPPERS: [&str; 6] =
    ["module.", "_orig_mod.", "module._orig_mod.", "model.", "state_dict.model.module.", "net."];

#[test]
fn wrapped_encoders_are_the_same_networks() {
    let (directory, config, tensors) = esm2(false);
    let path = |name: &str| directory.path().join(name);
    fs_err::write(path("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
    write_safetensors(&path("model.safetensors"), &hf(&tensors));
    let expected = esm2_digest(directory.path());
    let wrapped = |tensors: &Tensors, prefix: &str| {
        renamed(tensors, false, |name| Some(format!("{prefix}{name}")))
    };
    for prefix in WRAPPERS {
        write_safetensors(&path("model.safetensors"), &wrapped(&hf(&tensors), prefix));
        assert_eq!(esm2_digest(directory.path()), expected, "{prefix}");
        let shards = path(&format!("{prefix}shards"));
        fs_err::create_dir(&shards).unwrap();
        write_shards(&shards, BIN, &wrapped(&hf(&tensors), prefix));
        assert_eq!(esm2_digest(&shards), expected, "{prefix} in shards, without a config");
        for own in [FAIR, ""] {
            let fair = renamed(&tensors, false, |name| Some(fair_name(own, name)));
            write_torch(&path("fair.pt"), &wrapped(&fair, prefix), &settings(2, "cfg"));
            assert_eq!(esm2_digest(&path("fair.pt")), expected, "{prefix}{own}");
        }
    }
    let compiled =
        |name: &str| Some(name.replace("encoder.layer.1.", "encoder.layer.1._orig_mod."));
    write_safetensors(&path("model.safetensors"), &renamed(&hf(&tensors), false, compiled));
    assert_eq!(esm2_digest(directory.path()), expected);

    let config = dnabert_config(24, 2, 3);
    let tensors = random_tensors(config.tensors(), 5);
    let make = |name: &str, prefix: &str| {
        fs_err::create_dir(path(name)).unwrap();
        fs_err::write(path(name).join("config.json"), serde_json::to_vec(&config).unwrap())
            .unwrap();
        fs_err::write(path(name).join("tokenizer.json"), tokenizer_json()).unwrap();
        let mut tensors = wrapped(&tensors, prefix);
        tensors.insert_f32("loss", &[1], &[0.5]);
        write_torch(&path(name).join("pytorch_model.bin"), &tensors, &[("epoch", 3.into())]);
        let (network, tokenizer) = read_dnabert(&path(name), None).unwrap();
        assert_eq!(network.weights.beside().keys(), ["epoch", "loss"]);
        dnabert_digest(&network, &tokenizer)
    };
    let expected = make("dnabert", "");
    for prefix in WRAPPERS {
        assert_eq!(make(&format!("{prefix}bare"), prefix), expected, "{prefix}");
        let bert = format!("{prefix}bert.");
        assert_eq!(make(&bert, &bert), expected, "{bert}");
    }
}

#[test]
fn a_prefix_that_some_tensors_lack_is_refused() {
    let (directory, _, tensors) = esm2(false);
    let path = directory.path().join("a.pt");
    let check = |rename: &dyn Fn(&str) -> String, without: &str| {
        let odd = rename(without);
        let wrapped = renamed(&tensors, false, |name| {
            let name = rename(name);
            Some(if name == odd { name } else { format!("module.{name}") })
        });
        write_torch(&path, &wrapped, &[]);
        let Err(Error::Weights(WeightsError::PartlyWrapped { prefix, name, .. })) =
            read_esm2(&path)
        else {
            panic!("{odd}")
        };
        assert_eq!((prefix.as_str(), name), ("module.", odd));
    };
    check(&|name| name.to_owned(), "encoder.layer.0.LayerNorm.bias");
    check(&|name| fair_name("", name), "encoder.layer.1.output.dense.bias");
}

#[test]
fn an_index_and_its_shards_agree() {
    let (directory, config, tensors) = esm2(false);
    let directory = directory.path();
    fs_err::write(directory.join("config.json"), serde_json::to_vec(&config).unwrap()).unwrap();
    let weight_map = write_shards(directory, HF, &hf(&tensors));
    let index = directory.join("model.safetensors.index.json");
    let name = "esm.encoder.layer.0.LayerNorm.bias";
    let mut wrong = weight_map.clone();
    let (one, other) = ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors");
    let is_first = wrong[name] == one;
    wrong.insert(name.to_owned(), if is_first { other } else { one }.into());
    write_index(&index, &wrong);
    match read_esm2(directory) {
        Err(Error::MissingTensor { name: found, .. }) => assert_eq!(found, name),
        Err(Error::SurplusTensors { names, .. }) => assert_eq!(names, [name]),
        other => panic!("{other:?}"),
    }
    wrong.remove(name);
    write_index(&index, &wrong);
    let Err(Error::SurplusTensors { names, .. }) = read_esm2(directory) else { panic!() };
    assert_eq!(names, [name]);
    wrong.insert(name.to_owned(), format!("../{one}").into());
    write_index(&index, &wrong);
    let Err(Error::ShardName { file, .. }) = read_esm2(directory) else { panic!() };
    assert_eq!(file, format!("../{one}"));
    write_index(&index, &weight_map);
    fs_err::remove_file(directory.join(other)).unwrap();
    let Err(Error::Io { cause: source }) = read_esm2(directory) else { panic!() };
    assert!(source.to_string().contains(other), "{source}");
}

/// The files that PyTorch, fair-esm and transformers wrote.
#[test]
fn the_parity_models_are_one_in_every_form() {
    let hf = esm2_digest(&fixture("parity/esm2"));
    assert_eq!(esm2_digest(&fixture("torch/esm2_tiny.pt")), hf);
    let Some(parity) = shared("parity") else { return };
    assert_eq!(esm2_digest(&parity.join("esm2_fair/esm2_tiny.pt")), hf);
    assert_eq!(esm2_digest(&parity.join("esm2_fair")), hf);
    assert_eq!(esm2_digest(&parity.join("esm2_hf")), hf);
    let directory = tempfile::tempdir().unwrap();
    let tokenizer = directory.path().join("tokenizer.json");
    fs_err::write(&tokenizer, tokenizer_json()).unwrap();
    let digest_of = |path: &str| {
        let path = parity.join("dnabert").join(path);
        let (network, tokenizer) = read_dnabert(&path, Some(&tokenizer)).unwrap();
        dnabert_digest(&network, &tokenizer)
    };
    assert_eq!(digest_of("pytorch_model.bin"), digest_of("model.safetensors"));
}
