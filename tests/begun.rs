//! Runs and trainings that an earlier release had half done are finished by today's program.
//!
//! Each folder of `fixtures/begun-*` holds work that was killed; its `PROVENANCE.md` says how. A copy
//! is resumed: no finished row may be computed again, and the results must be those of an undisturbed
//! run, byte for byte where this machine's device is the one that began the work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use sha2::{Digest, Sha256};

use crate::support::{Bench, RESULTS, copy_directory, root};

const FIXTURE: &str = "tests/fixtures/begun-0.1.0";
const PREDICT: [&str; 7] =
    ["predict", "reads.fa", "-m", "bundle", "--score-all", "--checkpoint-rows", "16"];
const TRAIN: [&str; 5] = ["train", "--virus", "virus.fa", "--others", "others.fa"];
const LEARN: [&str; 12] = [
    "-m",
    "bundle",
    "--epochs",
    "12",
    "--patience",
    "12",
    "--units",
    "8",
    "--checkpoint-seconds",
    "0",
    "--checkpoint-rows",
    "64",
];
const ENCODERS: [&str; 8] = [
    "--encoders",
    "scratch",
    "--encoder-recipe",
    "recipe.json",
    "--name",
    "begun",
    "--checkpoint-seconds",
    "0",
];

/// The device that the parts of the fixture record.
const DEVICE: &str = "cpu (avx512+bf16)";

/// A copy of the fixture.
fn begun() -> Bench {
    let bench = Bench::new();
    copy_directory(&root().join(FIXTURE), &bench.path("."));
    bench
}

/// The durable checkpoints below a directory with their bytes.
fn checkpoints(bench: &Bench, dir: &str, kinds: &[&str]) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = bench.everything(dir);
    files.retain(|path, _| {
        let kind = path.parent().unwrap().file_name().unwrap().to_str().unwrap();
        kinds.contains(&kind) && path.extension().is_some_and(|extension| extension == "vnp")
    });
    assert!(!files.is_empty(), "{dir} holds none of {kinds:?}");
    files
}

#[track_caller]
fn assert_unchanged(before: &BTreeMap<PathBuf, Vec<u8>>) {
    for (path, bytes) in before {
        let now = std::fs::read(path).unwrap();
        assert!(now == *bytes, "{} was written again", path.display());
    }
}

/// Finishes the run in `out`, and compares it with one that nothing disturbed.
#[track_caller]
fn check_predict(out: &str, computed: &[(&str, u64)]) {
    let bench = begun();
    let scored = checkpoints(&bench, out, &["scores", "dna_only"]);
    let words = |out| [&PREDICT[..], &["-o", out]].concat();
    bench.vnp(&[&words(out)[..], &["--resume"]].concat()).expect(0, &[]);
    bench.vnp(&words("undisturbed")).expect(0, &[]);

    assert_unchanged(&scored);
    let run = bench.json(&format!("{out}/run.json"));
    for (stage, rows) in computed {
        assert_eq!(run["session"]["rows_computed"][stage], *rows, "{stage}");
    }
    for name in RESULTS.iter().filter(|name| **name != "run.json") {
        let read = |out: &str| std::fs::read_to_string(bench.path(out).join(name)).unwrap();
        assert_same_table(name, &read(out), &read("undisturbed"), is_same_device(&bench));
    }
}

/// Whether the undisturbed run in `undisturbed` was computed by the device that began the work.
fn is_same_device(bench: &Bench) -> bool {
    bench.json("undisturbed/run.json")["devices"].as_object().unwrap().contains_key(DEVICE)
}

/// Equal to the byte on one device; otherwise every number within 1e-4 and the rest equal.
#[track_caller]
fn assert_same_table(name: &str, found: &str, expected: &str, same_device: bool) {
    if same_device {
        assert!(found == expected, "{name} differs from the undisturbed run");
        return;
    }
    assert_close(name, found, expected, 1e-4);
}

/// Every number within `tolerance`, and the rest equal.
#[track_caller]
fn assert_close(name: &str, found: &str, expected: &str, tolerance: f64) {
    let cells = |text: &str| text.split(['\t', '\n']).map(str::to_owned).collect::<Vec<_>>();
    let (found, expected) = (cells(found), cells(expected));
    assert_eq!(found.len(), expected.len(), "{name}");
    for (found, expected) in found.iter().zip(&expected) {
        match (found.parse::<f64>(), expected.parse::<f64>()) {
            (Ok(found), Ok(expected)) => {
                assert!((found - expected).abs() < tolerance, "{name}: {found}, not {expected}");
            }
            _ => assert_eq!(found, expected, "{name}"),
        }
    }
}

#[test]
fn the_fixture_is_what_was_recorded() {
    let dir = root().join(FIXTURE);
    let sums = std::fs::read_to_string(dir.join("SHA256SUMS")).unwrap();
    assert!(sums.lines().count() >= 79);
    for line in sums.lines() {
        let (sum, name) = line.split_once("  ").unwrap();
        let bytes = std::fs::read(dir.join(name)).unwrap();
        let found: String = Sha256::digest(bytes).iter().map(|b| format!("{b:02x}")).collect();
        assert_eq!(found, sum, "{name}");
    }
}

#[test]
fn a_begun_run_is_finished() {
    // 48 of 102 rows were scored, and 16 more embedded.
    check_predict(
        "predict",
        &[("nucleotide", 38), ("protein", 38), ("scores", 54), ("dna_only", 25)],
    );
}

#[test]
fn a_begun_run_of_chunks_without_an_orf_is_finished() {
    check_predict(
        "predict-nucleotide-only",
        &[("nucleotide", 0), ("protein", 0), ("scores", 0), ("dna_only", 9)],
    );
}

/// Finishes the training in `out`, and compares it with one that nothing disturbed.
#[track_caller]
fn check_train(bench: &Bench, out: &str, how: &[&str]) {
    let words = |out| [&TRAIN[..], how, &["-o", out]].concat();
    bench.vnp(&[&words(out)[..], &["--resume"]].concat()).expect(0, &[]);
    bench.vnp(&words("trained")).expect(0, &[]);
    bench.vnp(&["predict", "reads.fa", "-m", "bundle", "-o", "undisturbed"]).expect(0, &[]);
    for name in ["history.tsv", "metrics.tsv", "bundle/head.safetensors"] {
        let read = |out: &str| std::fs::read(bench.path(out).join(name)).unwrap();
        let (found, expected) = (read(out), read("trained"));
        if is_same_device(bench) {
            assert!(found == expected, "{out}: {name} differs from the undisturbed training");
        } else if name.ends_with(".tsv") {
            // The first epochs were computed by another CPU: the values are close, not equal.
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            assert_close(name, &text(&found), &text(&expected), 0.05);
        } else {
            assert_eq!(found.len(), expected.len(), "{out}: {name}");
        }
    }
}

#[test]
fn a_training_that_was_embedding_is_finished() {
    let bench = begun();
    let before = checkpoints(&bench, "train-embedding", &["nucleotide", "protein"]);
    check_train(&bench, "train-embedding", &LEARN);
    assert_unchanged(&before);
}

#[test]
fn a_training_that_was_learning_is_finished() {
    let bench = begun();
    let before = checkpoints(&bench, "train-learning", &["nucleotide", "protein"]);
    let resumed = [&TRAIN[..], &LEARN, &["-o", "train-learning", "--resume"]].concat();
    bench.vnp(&resumed).expect(0, &["epoch 7"]);
    assert_unchanged(&before);
    check_train(&bench, "train-learning", &LEARN);
}

#[test]
fn a_training_of_encoders_is_finished() {
    check_train(&begun(), "train-encoders", &ENCODERS);
}
