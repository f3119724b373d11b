//! Arguments, names of files and the environment with the mark in them.

use super::{ID, MARK, argument, marked_directory, run};
use crate::support::{Bench, Nucleotides};

/// A usage error is no message of the log, but holds no control character either, nor a forged line.
#[track_caller]
fn check_usage(bench: &Bench, words: &[&str]) {
    let ended = bench.vnp(words);
    assert_eq!(ended.code, Some(1), "{}", ended.stderr);
    let bad = ended.stderr.chars().find(|&c| c != '\n' && !vnp_escape::is_plain(c));
    assert!(bad.is_none(), "{bad:?}: {:?}", ended.stderr);
    assert!(!ended.stderr.lines().any(|line| line.starts_with("1999")), "{}", ended.stderr);
    assert!(ended.stderr.contains("m\\u{1b}[31mk"), "{}", ended.stderr);
}

#[test]
fn usage_errors_escape_what_was_typed() {
    let bench = Bench::new();
    check_usage(&bench, &[MARK]);
    check_usage(&bench, &["predict", &format!("--{MARK}")]);
    check_usage(&bench, &["predict", "in.fa", "-o", "out", "--device", MARK]);
    check_usage(&bench, &["predict", "in.fa", "-o", "out", "-t", MARK]);
    check_usage(&bench, &["models", "verify", "a", MARK]);
    check_usage(&bench, &["completions", MARK]);
    let pattern = format!("({MARK}");
    check_usage(&bench, &["reads", "c", "--paf", "p", "-o", "o", "--group-pattern", &pattern]);
    check_usage(
        &bench,
        &["reads", "c", "--paf", "p", "-o", "o", "--keep-ids", "k", "--keep", MARK],
    );
}

#[test]
fn names_that_lead_nowhere_are_escaped() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCCGCCGCC\n");
    run(&bench, &["predict", MARK, "-o", "out"]).expect(1, true);
    run(&bench, &["predict", "in.fa", "-m", MARK, "-o", "out"]).expect(1, true);
    run(&bench, &["predict", "in.fa", "-o", &format!("in.fa/{MARK}")]).expect(1, false);
    run(&bench, &["orfs", MARK, "--nucleotide", "n.fa", "--protein", "p.fa"]).expect(1, true);
    run(&bench, &["orfs", "in.fa", "--nucleotide", MARK, "--protein", MARK]).expect(1, true);
    bench.write("calls.tsv", format!("ID{MARK}\tcall\n"));
    run(&bench, &["reads", MARK, "--paf", "in.fa", "-o", "r.tsv"]).expect(1, true);
    run(&bench, &["reads", "calls.tsv", "--paf", "in.fa", "-o", "r.tsv"]).expect(1, true);
    run(&bench, &["validate", MARK]).expect(1, true);
    run(&bench, &["validate-checkpoints", MARK]).expect(1, true);
    run(&bench, &["checkpoint", "inspect", MARK]).expect(1, true);
    run(&bench, &["checkpoint", "convert", "in.fa", MARK]).expect(1, true);
    run(&bench, &["models", "verify", MARK]).expect(1, true);
    run(&bench, &["embed", "in.fa", "--encoder", "esm2", "--weights", "mini", "-o", MARK])
        .expect(1, true);
    run(&bench, &["train", "--virus", MARK, "--others", "in.fa", "-o", "t"]).expect(1, true);
    // A log that cannot be written is reported on standard error alone.
    bench.write("notes.txt", "mine\n");
    std::fs::rename(bench.path("notes.txt"), bench.path(MARK)).unwrap();
    let refused = bench.vnp(&["devices", "--log-file", MARK]);
    refused.expect(1, &["m\\u{1b}[31mk\\u{9b}2J", "is not a log file"]);
    assert!(refused.stderr.chars().all(|c| c == '\n' || vnp_escape::is_plain(c)));
    assert_eq!(refused.stderr.lines().count(), 1, "{}", refused.stderr);
}

/// On Linux a name may be any bytes; a lone byte of 0x9B begins an escape sequence on some terminals.
#[cfg(target_os = "linux")]
#[test]
fn names_that_are_not_text_are_shown_in_hexadecimal() {
    use std::os::unix::ffi::OsStrExt;
    let bench = Bench::new();
    let name = std::ffi::OsStr::from_bytes(b"a\x9b\xff\x1b[2J.fa");
    std::fs::write(bench.path("").join(name), ">a\nMKVLE\n").unwrap();
    let after: [&[&str]; 3] = [&["-o", "out"], &[], &["-o", "out", "--log-file", "messages.log"]];
    let commands: [&[&str]; 3] = [&["predict"], &["validate"], &["predict"]];
    for (command, after) in commands.iter().zip(after) {
        let output = bench.command(command).arg(name).args(after).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        let text = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert!(text.chars().all(|c| c == '\n' || vnp_escape::is_plain(c)), "{text:?}");
        assert!(text.contains("a\\x9b\\xff\\u{1b}[2J.fa"), "{text}");
    }
    let output = bench.command(&["validate-checkpoints"]).arg(name).arg("--json").output().unwrap();
    assert!(String::from_utf8(output.stderr).unwrap().contains("\\x9b\\xff"));
}

#[test]
fn directories_of_models_are_escaped() {
    let bench = Bench::new();
    let mut command = bench.command(&["models", "path"]);
    let output = command.env("VNP_MODELS", MARK).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.chars().all(|c| c == '\n' || vnp_escape::is_plain(c)), "{text:?}");
    assert!(text.contains("m\\u{1b}[31mk"), "{text}");
}

#[test]
fn sequences_are_named_escaped() {
    let bench = Bench::new();
    let directory = marked_directory(&bench);
    let write = |name: &str, text: String| {
        let path = directory.join(format!("{name}{MARK}"));
        std::fs::write(&path, text).unwrap();
        argument(&bench, &path)
    };
    let sequence = Nucleotides::new(3).sequence(600);
    let good = write("good", format!(">{ID} x\n{sequence}\n"));
    let twice = write("twice", format!(">{ID}\n{sequence}\n>{ID}\n{sequence}\n>{ID}p\nMKVLE\n"));
    let protein = write("protein", format!(">{ID}\nMKVLE\n"));
    let fastq = write("fastq", format!("@{ID}\n{sequence}\n+\n!!\n"));
    let carriage = write("carriage", format!(">{ID}\r{sequence}\n"));
    let odd = write("odd", MARK.to_owned());
    let packed = write("packed", "\u{1f}\u{8b}".to_owned());
    for (file, code) in [
        (&good, 0),
        (&twice, 2),
        (&protein, 1),
        (&fastq, 1),
        (&carriage, 1),
        (&odd, 1),
        (&packed, 1),
    ] {
        run(&bench, &["predict", file, "-o", "out", "--force"]).expect(code, code > 0);
        run(&bench, &["predict", file, &good, "-o", MARK, "--force", "-v"]);
        run(&bench, &["predict", file, "-o", MARK, "--duplicate-ids", "refuse", "--force"]);
        run(&bench, &["validate", file]).expect(i32::from(code > 0), true);
        run(&bench, &["validate", file, "--duplicate-ids", "refuse"]);
        run(&bench, &["orfs", file, "--nucleotide", "n.fa", "--protein", "p.fa"]);
        for (encoder, out) in [("esm2", "e.pt"), ("dnabert-s", &format!("{MARK}.pt"))] {
            let embed = ["embed", file, "--encoder", encoder, "--weights", "mini"];
            run(&bench, &[&embed[..], &["-o", out, "--force"]].concat());
        }
        run(&bench, &["train", "--virus", file, "--others", file, "-o", MARK, "--force"]);
    }
    // The tables hold the ids as they are, a line for each record.
    let table = std::fs::read_to_string(bench.path("out/sequences.tsv")).unwrap_or_default();
    assert!(table.lines().all(|line| !line.starts_with("1999")), "{table:?}");
}
