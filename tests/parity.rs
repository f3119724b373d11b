//! The whole run against PyTorch: tiny models in the published formats, end to end.

use std::path::PathBuf;

use crate::import::Import;
use crate::support::{Bench, root, shared};

/// Rows of a result table as id, label and the two scores.
fn rows(text: &str) -> Vec<(String, String, [f64; 2])> {
    let row = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        let score = |at: usize| columns[at].parse().unwrap();
        (columns[0].to_owned(), columns[1].to_owned(), [score(2), score(3)])
    };
    text.lines().skip(1).map(row).collect()
}

#[test]
fn an_imported_model_gives_the_scores_of_pytorch() {
    let (Some(tokenizer), Some(input), Some(frames), Some(consensus)) = (
        shared("models/dnabert/tokenizer.json"),
        shared("parity/e2e.fa"),
        shared("parity/e2e_prediction_results.txt"),
        shared("parity/e2e_prediction_results_highestscore.csv"),
    ) else {
        return;
    };
    let theirs = rows(&std::fs::read_to_string(frames).unwrap());
    let labels = |label: &str| theirs.iter().any(|row| row.1 == label);
    assert!(labels("virus") && labels("others"));
    let consensus = std::fs::read(consensus).unwrap();
    let bench = Bench::new();
    let mut digests = None;
    for (number, (esm2, dnabert, head)) in paths().into_iter().enumerate() {
        let (bundle, out) = (format!("./tiny{number}"), format!("out{number}"));
        let path = format!("{} + {} + {}", esm2.display(), dnabert.display(), head.display());
        let import = Import { esm2, dnabert, head, tokenizer: tokenizer.clone() };
        import.run(&bench, &bundle).expect(0, &[]);
        bench.vnp(&["models", "verify", &bundle]).expect(0, &[]);
        let found = bench.json(&format!("{bundle}/bundle.json"))["digests"].clone();
        assert_eq!(digests.get_or_insert_with(|| found.clone()), &found, "{path}");
        let words = ["predict", input.to_str().unwrap(), "-m", &bundle, "-e", "500", "-o", &out];
        bench.vnp(&words).expect(0, &[]);

        let ours = std::fs::read_to_string(bench.path(&out).join("prediction_results.txt"));
        let ours = rows(&ours.unwrap());
        assert_eq!(ours.len(), theirs.len());
        let mut worst = 0.0_f64;
        for (ours, theirs) in ours.iter().zip(&theirs) {
            assert_eq!((&ours.0, &ours.1), (&theirs.0, &theirs.1), "id and label, in order");
            for (ours, theirs) in ours.2.iter().zip(theirs.2) {
                worst = worst.max((ours - theirs).abs());
            }
        }
        println!("{path}\n  {} rows, largest difference of a score {worst:.2e}", ours.len());
        assert!(worst <= 1e-4, "{worst}");
        assert_eq!(bench.results(&out)["prediction_results_highestscore.csv"], consensus);
    }
}

/// ESM-2, DNABERT and head, each in every form that it is published in.
fn paths() -> Vec<(PathBuf, PathBuf, PathBuf)> {
    let fixture = |name: &str| root().join("tests/fixtures").join(name);
    let mut paths = vec![
        (fixture("torch/esm2_tiny.pt"), fixture("parity/dnabert"), fixture("torch/head.pth")),
        (
            fixture("parity/esm2"),
            fixture("parity/dnabert/model.safetensors"),
            fixture("parity/head.safetensors"),
        ),
    ];
    // The same weights as PyTorch saves them.
    if let Some(bin) = shared("parity/dnabert/pytorch_model.bin") {
        let weights = fixture("parity/esm2/model.safetensors");
        paths.push((weights, bin, fixture("torch/head_state_dict.pth")));
    }
    paths
}
