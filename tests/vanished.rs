//! A directory that vanishes under a job. It ends with exit code 3 and the advice to
//! resume, and resuming gives what an undisturbed job gives.

use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Ended, Nucleotides, ended};

/// Runs a command that waits for its input, does something to its directory meanwhile, and gives it the
/// input: a run enters its directory before it reads.
fn disturbed(bench: &Bench, words: &[&str], disturb: impl Fn(&Path)) -> Ended {
    let mut command = bench.command(words);
    let child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = child.spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    // Made after the lock was taken.
    while !bench.path("out/checkpoints/scores").is_dir() {
        assert!(Instant::now() < patience, "it does not begin");
        std::thread::sleep(Duration::from_millis(5));
    }
    std::thread::sleep(Duration::from_millis(100));
    disturb(&bench.path("out"));
    let input = std::fs::read(bench.path("in.fa")).unwrap();
    // It may have ended already.
    drop(child.stdin.take().unwrap().write_all(&input));
    Ended::of(child.wait_with_output().unwrap())
}

#[track_caller]
fn check(disturb: impl Fn(&Path), vanished: &str) {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(61).fasta(20, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    let words = ["predict", "-", "-o", "out"];
    let advice = format!("{vanished} has vanished: something else removed or moved it");
    disturbed(&bench, &words, disturb).expect(3, &[&advice, "continue with --resume"]);
    let mut again = bench.command(&[&words[..], &["--resume"]].concat());
    let input = std::fs::File::open(bench.path("in.fa")).unwrap();
    ended(again.stdin(input)).expect(0, &[]);
    let tables = |out: &str| {
        ["prediction_results.txt", "prediction_results_highestscore.csv"]
            .map(|name| std::fs::read(bench.path(out).join(name)).unwrap())
    };
    assert_eq!(tables("out"), tables("undisturbed"));
}

#[test]
fn a_directory_that_vanishes_is_exit_3() {
    check(|out| std::fs::remove_dir_all(out).unwrap(), "out");
    check(|out| std::fs::rename(out, out.with_file_name("moved")).unwrap(), "out");
    let checkpoints = "out/checkpoints";
    check(|out| std::fs::remove_dir_all(out.join("checkpoints")).unwrap(), checkpoints);
    let stage = "out/checkpoints/protein";
    check(|out| std::fs::remove_dir(out.join("checkpoints/protein")).unwrap(), stage);
}
