//! One part of each stage, damaged in each way: found, named, and exactly its rows computed again.

use std::path::Path;

use crate::support::{Bench, Nucleotides, copy_directory};

const ROWS: u64 = 16;
const STAGES: [&str; 3] = ["nucleotide", "protein", "scores"];

/// A finished run that kept its embeddings, and one of another input.
fn two_runs() -> Bench {
    let bench = Bench::new();
    for (seed, input, out) in [(7, "in.fa", "out"), (8, "other.fa", "other")] {
        bench.write(input, Nucleotides::new(seed).fasta(12, 1_000));
        let words = ["predict", input, "-o", out, "--checkpoint-rows", "16", "--keep-embeddings"];
        bench.vnp(&words).expect(0, &[]);
    }
    bench
}

/// Damages the second part of a stage and resumes, twice. `--resume` must stop with the finding;
/// `--force-resume` must compute its rows, and no others, again.
#[track_caller]
fn check(bench: &Bench, stage: &str, finding: Option<&str>, damage: impl Fn(&Path)) {
    let out = format!("out-{stage}");
    drop(std::fs::remove_dir_all(bench.path(&out)));
    copy_directory(&bench.path("out"), &bench.path(&out));
    // A finished run has no need of its parts.
    std::fs::remove_file(bench.path(&out).join("run.json")).unwrap();
    let part = bench.parts(&out, stage)[1].clone();
    damage(&part);
    let again = ["predict", "in.fa", "-o", &out, "--checkpoint-rows", "16", "--keep-embeddings"];
    let with = |word| [again.as_slice(), &[word]].concat();
    let name = part.file_name().unwrap().to_str().unwrap();
    if let Some(finding) = finding {
        let ended = bench.vnp(&with("--resume"));
        ended.expect(3, &[name, finding, "1 bad", "--force-resume", "--force", "remove the file"]);
    }
    bench.vnp(&with("--force-resume")).expect(0, &[]);
    assert_eq!(bench.results(&out), bench.results("out"));
    let session = &bench.json(&format!("{out}/run.json"))["session"]["rows_computed"];
    for other in STAGES {
        let expected = if other == stage { ROWS } else { 0 };
        assert_eq!(session[other].as_u64(), Some(expected), "{other} rows after {finding:?}");
    }
    let log = std::fs::read_to_string(bench.path(&out).join("checkpoints/failed_checkpoints.txt"));
    let found = log.unwrap_or_default().matches(name).count();
    assert_eq!(found, usize::from(finding.is_some()), "lines in the failure log: {finding:?}");
}

#[test]
fn every_stage_and_every_damage() {
    let bench = two_runs();
    for stage in STAGES {
        check(&bench, stage, Some("digest-mismatch"), |part| {
            let mut bytes = std::fs::read(part).unwrap();
            let at = bytes.len() - 70;
            bytes[at] ^= 1;
            std::fs::write(part, bytes).unwrap();
        });
        check(&bench, stage, Some("is truncated"), |part| {
            let bytes = std::fs::read(part).unwrap();
            std::fs::write(part, &bytes[..bytes.len() / 2]).unwrap();
        });
        check(&bench, stage, Some("is truncated"), |part| std::fs::write(part, b"").unwrap());
        check(&bench, stage, Some("is a part of another run: input was"), |part| {
            let name = part.file_name().unwrap();
            let theirs = bench.path("other/checkpoints").join(stage).join(name);
            std::fs::copy(theirs, part).unwrap();
        });
        // Nothing is wrong with a directory that lacks a part.
        check(&bench, stage, None, |part| std::fs::remove_file(part).unwrap());
    }
}

/// The cheap checks find what needs no reading.
#[test]
fn without_validation_an_empty_or_cut_part_is_still_refused() {
    let bench = two_runs();
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    let part = bench.parts("out", "scores")[1].clone();
    let bytes = std::fs::read(&part).unwrap();
    for length in [0, 1, 63, 64, bytes.len() - 1] {
        std::fs::write(&part, &bytes[..length]).unwrap();
        let words = ["predict", "in.fa", "-o", "out", "--resume", "--skip-checkpoint-validation"];
        bench.vnp(&words).expect(3, &["is truncated"]);
    }
}
