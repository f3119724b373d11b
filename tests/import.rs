//! Importing published weights: what is reported, what is verified, what is refused.

use std::path::PathBuf;

use crate::support::{Bench, Ended, root};

/// The words of an import; places that a test does not change are those of the fixtures.
pub(crate) struct Import {
    pub(crate) esm2: PathBuf,
    pub(crate) dnabert: PathBuf,
    pub(crate) head: PathBuf,
    pub(crate) tokenizer: PathBuf,
}

impl Import {
    pub(crate) fn new() -> Self {
        let fixtures = root().join("tests/fixtures");
        Self {
            esm2: fixtures.join("torch/esm2_tiny.pt"),
            dnabert: fixtures.join("parity/dnabert"),
            head: fixtures.join("torch/head.pth"),
            // Knows few tokens, which are among those of the network.
            tokenizer: root().join("tests/fixtures/tokenizer/tokenizer.json"),
        }
    }

    pub(crate) fn run(&self, bench: &Bench, out: &str) -> Ended {
        self.run_with(bench, out, &[])
    }

    /// The same with more words.
    pub(crate) fn run_with(&self, bench: &Bench, out: &str, words: &[&str]) -> Ended {
        let text = |path: &PathBuf| path.to_str().unwrap().to_owned();
        let (esm2, dnabert) = (text(&self.esm2), text(&self.dnabert));
        let (head, tokenizer) = (text(&self.head), text(&self.tokenizer));
        let import = ["models", "import", "--esm2", &esm2, "--dnabert", &dnabert, "--head", &head];
        let more = ["--tokenizer", &tokenizer, "--expected-length", "500", "-o", out];
        bench.vnp(&[&import[..], &more, words].concat())
    }
}

#[test]
fn what_is_left_out_is_listed() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(
        0,
        &[
            "esm2_tiny.pt: tensors that vnp does not need were left out: ",
            "lm_head.dense.weight",
            "pooler.dense.weight",
            "bn1.num_batches_tracked",
        ],
    );
    let manifest = bench.json("tiny/bundle.json");
    let left_out = &manifest["provenance"]["imported"]["dnabert"]["left_out"];
    assert_eq!(left_out, &serde_json::json!(["pooler.dense.bias", "pooler.dense.weight"]));
}

#[test]
fn a_bundle_is_proved() {
    let bench = Bench::new();
    Import::new().run(&bench, "tiny").expect(0, &[]);
    let verified = bench.vnp(&["models", "verify", "./tiny"]);
    assert!(verified.expect(0, &[]).stdout.contains("OK"));
    for file in ["esm2/model.safetensors", "dnabert/model.safetensors", "head.safetensors"] {
        let path = bench.path("tiny").join(file);
        let good = std::fs::read(&path).unwrap();
        let mut bad = good.clone();
        *bad.last_mut().unwrap() ^= 1;
        std::fs::write(&path, bad).unwrap();
        let verified = bench.vnp(&["models", "verify", "./tiny"]);
        assert!(verified.expect(1, &["is not the"]).stdout.contains("BAD"), "{file}");
        std::fs::write(&path, good).unwrap();
    }
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[]);
}

/// A copy of the transformers directory of ESM-2 with another config.
fn with_config(bench: &Bench, from: &str, to: &str) -> PathBuf {
    let (source, copy) = (root().join("tests/fixtures/parity/esm2"), bench.path("esm2"));
    std::fs::create_dir(&copy).unwrap();
    let weights = "model.safetensors";
    std::fs::copy(source.join(weights), copy.join(weights)).unwrap();
    let config = std::fs::read_to_string(source.join("config.json")).unwrap();
    assert!(config.contains(from), "{config}");
    std::fs::write(copy.join("config.json"), config.replace(from, to)).unwrap();
    copy
}

#[test]
fn faults_are_named_and_leave_nothing() {
    let check = |from: &str, to: &str, messages: &[&str]| {
        let bench = Bench::new();
        let import = Import { esm2: with_config(&bench, from, to), ..Import::new() };
        import.run(&bench, "tiny").expect(1, messages);
        assert!(!bench.path("tiny").exists());
        assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), 1, "only esm2 is there");
    };
    let missing = "has no tensor encoder.layer.3.attention.LayerNorm.weight";
    check("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 4", &[missing]);
    let surplus = "belong to no part of this network: esm.encoder.layer.2.";
    check("\"num_hidden_layers\": 3", "\"num_hidden_layers\": 2", &[surplus]);
    let shape = "layer.0.intermediate.dense.weight has shape [256, 64], expected [128, 64]";
    check("\"intermediate_size\": 256", "\"intermediate_size\": 128", &[shape]);
}
