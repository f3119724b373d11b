//! Encoders of one's own.

use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Nucleotides};

/// Small sizes and few steps.
const RECIPE: &str = r#"{
    "dnabert": {"hidden": 8, "layers": 1, "heads": 2, "inner": 8},
    "esm2": {"hidden": 8, "layers": 1, "heads": 2, "inner": 16},
    "units": 8, "batch": 8, "steps": 12,
    "lengths": [{"length": 500, "share": 1}],
    "schedule": {
        "optimizer": {"adam_w": {"beta1": 0.9, "beta2": 0.999, "epsilon": 1e-8, "decay": 0.02}},
        "rate": 0.002, "course": {"cosine": {"warm_up": 0.5, "floor": 0.0}},
        "epochs": 5, "patience": 5, "clip": 1.0, "average": 0.9
    }
}"#;

/// Ten viruses rich in C and G, and ten others.
fn bench() -> Bench {
    let bench = Bench::new();
    let mut nucleotides = Nucleotides::new(8);
    for (name, from, to) in [("virus", 'A', 'G'), ("others", 'G', 'A')] {
        let record = |number| {
            let mut count = 0;
            let letter = |letter: char| {
                count += 1;
                if letter == from && count % 3 == 0 { to } else { letter }
            };
            let sequence: String = nucleotides.sequence(1_800).chars().map(letter).collect();
            format!(">{name}{number}\n{sequence}\n")
        };
        bench.write(&format!("{name}.fa"), (0..10).map(record).collect::<String>());
    }
    bench.write("recipe.json", RECIPE);
    bench
}

fn words<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let data = ["train", "--virus", "virus.fa", "--others", "others.fa", "-o", out];
    let how = ["--encoders", "scratch", "--encoder-recipe", "recipe.json"];
    data.iter().chain(&how).chain(&["--checkpoint-seconds", "0"]).chain(more).copied().collect()
}

fn published(bench: &Bench, out: &str) -> Vec<(&'static str, Vec<u8>)> {
    let names = [
        "metrics.json",
        "history.tsv",
        "bundle/head.safetensors",
        "bundle/dnabert/model.safetensors",
        "bundle/esm2/model.safetensors",
    ];
    let read = |name| (name, std::fs::read(bench.path(out).join(name)).unwrap());
    names.map(read).to_vec()
}

#[test]
fn encoders_are_trained_the_same_again_also_when_killed() {
    let bench = bench();
    bench.vnp(&words("a", &[])).expect(0, &["bundle a for chunks of", "is in a/bundle"]);
    let resume = words("b", &["--resume"]);
    let mut kills = 0;
    for milliseconds in [300, 700, 500, 900] {
        let mut child =
            bench.command(&resume).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        // From the first saved state on, so that every kill is in the middle of learning.
        let patience = Instant::now() + Duration::from_secs(120);
        while !bench.path("b/checkpoints/training.vnp").exists() && Instant::now() < patience {
            std::thread::sleep(Duration::from_millis(2));
        }
        std::thread::sleep(Duration::from_millis(milliseconds));
        child.kill().unwrap();
        kills += usize::from(!child.wait().unwrap().success());
    }
    assert!(kills > 0);
    bench.vnp(&resume).expect(0, &[]);
    assert_eq!(published(&bench, "a"), published(&bench, "b"));

    bench.vnp(&["predict", "virus.fa", "-m", "a/bundle", "-o", "p"]).expect(0, &[]);
    assert_eq!(bench.json("p/run.json")["model"]["name"], "a");
    // And on from there, with other values.
    bench
        .vnp(&[
            "train",
            "--virus",
            "virus.fa",
            "--others",
            "others.fa",
            "-o",
            "c",
            "-m",
            "a/bundle",
            "--encoders",
            "fine-tune",
            "--encoder-recipe",
            "recipe.json",
        ])
        .expect(0, &[]);
    assert_ne!(published(&bench, "a"), published(&bench, "c"));
}

#[test]
fn what_cannot_be_trained_is_said() {
    let bench = bench();
    bench.write("wrong.json", r#"{"unit": 7}"#);
    let check = |more: &[&str], said: &str| {
        let data = ["train", "--virus", "virus.fa", "--others", "others.fa", "-o", "x"];
        let words: Vec<&str> = data.iter().chain(more).copied().collect();
        bench.vnp(&words).expect(1, &[said]);
        assert!(!bench.path("x").exists(), "{more:?}");
    };
    check(&["--encoders", "scratch", "--encoder-recipe", "wrong.json"], "wrong.json");
    check(&["--encoders", "scratch", "--units", "5"], "--units");
    check(&["--encoder-recipe", "recipe.json"], "--encoders");
    bench.vnp(&words("a", &[])).expect(0, &[]);
    bench.vnp(&words("a", &["--resume", "--seed", "2"])).expect(3, &["seed"]);
}
