//! The whole run against PyTorch: tiny models in the published formats, end to end.

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
    let bench = Bench::new();
    let fixtures = root().join("tests/fixtures/parity");
    let fixture = |name: &str| fixtures.join(name).to_str().unwrap().to_owned();
    let (esm2, dnabert, head) = (fixture("esm2"), fixture("dnabert"), fixture("head.safetensors"));
    let words = [
        "models",
        "import",
        "--esm2",
        &esm2,
        "--dnabert",
        &dnabert,
        "--head",
        &head,
        "--tokenizer",
        tokenizer.to_str().unwrap(),
        "--expected-length",
        "500",
        "-o",
        "tiny",
    ];
    bench.vnp(&words).expect(0, &[]);
    bench.vnp(&["models", "verify", "./tiny"]).expect(0, &[]);
    let words = ["predict", input.to_str().unwrap(), "-m", "./tiny", "-e", "500", "-o", "out"];
    bench.vnp(&words).expect(0, &[]);

    let ours = std::fs::read_to_string(bench.path("out/prediction_results.txt")).unwrap();
    let ours = rows(&ours);
    let theirs = rows(&std::fs::read_to_string(frames).unwrap());
    assert_eq!(ours.len(), theirs.len());
    let mut worst = 0.0_f64;
    for (ours, theirs) in ours.iter().zip(&theirs) {
        assert_eq!((&ours.0, &ours.1), (&theirs.0, &theirs.1), "id and label, in order");
        for (ours, theirs) in ours.2.iter().zip(theirs.2) {
            worst = worst.max((ours - theirs).abs());
        }
    }
    println!("{} rows, largest difference of a score {worst:.2e}", ours.len());
    assert!(worst <= 1e-4, "{worst}");
    assert!(
        theirs.iter().any(|row| row.1 == "virus") && theirs.iter().any(|row| row.1 == "others")
    );
    let out = bench.results("out");
    assert_eq!(out["prediction_results_highestscore.csv"], std::fs::read(consensus).unwrap());
}
