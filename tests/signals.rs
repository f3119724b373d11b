//! SIGINT and SIGTERM, which let a run save its work, and two processes on one directory.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Bench, Nucleotides};

/// A run long enough to be interrupted.
fn long_run(bench: &Bench) -> Child {
    bench.write("in.fa", Nucleotides::new(21).fasta(250, 1_000));
    let messages = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let words = ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "64", "-v"];
    let child = bench.command(&words).stdout(Stdio::null()).stderr(messages).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while !messages_of(bench).contains(" computed ") {
        assert!(Instant::now() < patience, "nothing computed:\n{}", messages_of(bench));
        std::thread::sleep(Duration::from_millis(5));
    }
    child
}

fn messages_of(bench: &Bench) -> String {
    std::fs::read_to_string(bench.path("messages.txt")).unwrap()
}

fn send(signal: &str, child: &Child) {
    let status = Command::new("kill").arg(signal).arg(child.id().to_string()).status().unwrap();
    assert!(status.success());
}

#[track_caller]
fn check(signal: &str, code: i32) {
    let bench = Bench::new();
    let mut child = long_run(&bench);
    send(signal, &child);
    assert_eq!(child.wait().unwrap().code(), Some(code), "{}", messages_of(&bench));
    assert!(messages_of(&bench).contains("continue with --resume"), "{}", messages_of(&bench));
    assert!(!bench.path("out/prediction_results.txt").exists());
    let saved: usize =
        ["nucleotide", "protein", "scores"].iter().map(|s| bench.parts("out", s).len()).sum();
    assert!(saved > 0, "the work so far was not saved");
    bench
        .vnp(&["predict", "in.fa", "-o", "out", "--resume"])
        .expect(0, &[" checkpoints present, 0 bad, "]);
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
}

#[test]
fn sigint_saves_and_exits_130() {
    check("-INT", 130);
}

#[test]
fn sigterm_saves_and_exits_143() {
    check("-TERM", 143);
}

#[test]
fn a_second_process_is_told_who_holds_the_directory() {
    let bench = Bench::new();
    let mut child = long_run(&bench);
    // It must not finish while the others are tried.
    send("-STOP", &child);
    let holder = format!("process {} on ", child.id());
    for word in ["--resume", "--force", "--force-resume"] {
        bench.vnp(&["predict", "in.fa", "-o", "out", word]).expect(1, &["is in use by", &holder]);
    }
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(1, &["is in use by", &holder]);
    // The lock goes with its process, however that ends.
    child.kill().unwrap();
    child.wait().unwrap();
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &[]);
}

/// The second signal does not wait for the batch; what has a name is whole all the same.
#[test]
fn a_second_signal_ends_at_once() {
    let bench = Bench::new();
    let mut child = long_run(&bench);
    // Stopped while both arrive, so that the run cannot end by itself between them.
    send("-STOP", &child);
    send("-TERM", &child);
    send("-INT", &child);
    send("-CONT", &child);
    let code = child.wait().unwrap().code();
    // Whichever is delivered last.
    assert!(matches!(code, Some(130 | 143)), "{code:?}");
    assert!(!messages_of(&bench).contains("continue with --resume"), "{}", messages_of(&bench));
    for stage in ["nucleotide", "protein", "scores"] {
        for part in bench.parts("out", stage) {
            let limits = vnp_ckpt::Limits::default();
            vnp_ckpt::load_with_compatibility(&part, &limits).unwrap();
        }
    }
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(0, &[]);
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
}
