//! The smaller commands.

use crate::support::{Bench, Nucleotides, example};

#[test]
fn validate_names_what_is_wrong_with_an_input() {
    let bench = Bench::new();
    let good = bench.vnp(&["validate", &example()]);
    good.expect(0, &[]);
    assert!(good.stdout.contains("5 records, 26,306 bp"), "{}", good.stdout);
    bench.write("bad.fa", ">a\nACGT\n>b\nACGE\n");
    let bad = bench.vnp(&["validate", "bad.fa"]);
    bad.expect(1, &["record 2 \"b\"", "'E'", "position 4"]);
    assert!(bad.stdout.contains("1 invalid"), "{}", bad.stdout);
    bench.vnp_with_stdin(&["validate", "-"], &bench.path("bad.fa")).expect(1, &["'E'"]);
}

#[test]
fn embed_writes_one_row_per_record_in_order() {
    let bench = Bench::new();
    bench.write("dna.fa", Nucleotides::new(2).fasta(5, 300));
    bench.write("one.fa", Nucleotides::new(2).fasta(1, 300));
    bench.write("proteins.fa", ">p1\nMKVLUAG\n>p2\nWWW\n");
    let embed = |input: &str, encoder: &str, out: &str| {
        let words =
            ["embed", input, "--encoder", encoder, "--weights", "mini", "-o", out, "-d", "cpu"];
        bench.vnp(&words).expect(0, &[]);
        let limits = vnp_ckpt::Limits::default();
        vnp_ckpt::load_with_compatibility(&bench.path(out), &limits).unwrap()
    };
    let dna = embed("dna.fa", "dnabert-s", "dna.vnp");
    assert_eq!(dna.ids(), ["r0", "r1", "r2", "r3", "r4"]);
    let [5, hidden] = *dna.tensor("embedding").unwrap().shape() else { panic!("{dna:?}") };
    let one = embed("one.fa", "dnabert-s", "one.vnp");
    let (dna, one) = (dna.tensor("embedding").unwrap(), one.tensor("embedding").unwrap());
    assert_eq!(dna.as_f32().unwrap()[..hidden], *one.as_f32().unwrap(), "alone as among others");
    let proteins = embed("proteins.fa", "esm2", "proteins.vnp");
    assert_eq!(proteins.ids(), ["p1", "p2"]);
    assert_eq!(proteins.tensor("embedding").unwrap().shape()[0], 2);
}

#[test]
fn models_are_listed_located_and_verified() {
    let bench = Bench::new();
    let list = bench.vnp(&["models", "list"]);
    list.expect(0, &[]);
    assert!(list.stdout.contains("mini"), "{}", list.stdout);
    bench.vnp(&["models", "verify"]).expect(0, &[]);
    let path = bench.vnp(&["models", "path"]);
    path.expect(0, &[]);
    assert!(path.stdout.contains("data-home/vnp/models"), "{}", path.stdout);
    let mut command = bench.command(&["models", "path"]);
    let output = command.env("VNP_MODELS", "/some/where").output().unwrap();
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("/some/where\n"));
}

#[test]
fn devices_completions_and_the_manual_are_printed() {
    let bench = Bench::new();
    let devices = bench.vnp(&["devices"]);
    devices.expect(0, &[]);
    assert!(devices.stdout.contains("cpu"), "{}", devices.stdout);
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.vnp(&["completions", shell]);
        script.expect(0, &[]);
        assert!(script.stdout.contains("validate-checkpoints"), "{shell}");
    }
    let man = bench.vnp(&["man"]);
    man.expect(0, &[]);
    for expected in [".TH", "skip\\-checkpoint\\-validation", "failed_checkpoints.txt"] {
        assert!(man.stdout.contains(expected), "{expected}");
    }
}

#[test]
fn messages_also_go_to_the_log_file() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(2).fasta(1, 300));
    let words = ["predict", "in.fa", "-q", "--log-file", "run.log"];
    let quiet = bench.vnp(&words);
    quiet.expect(0, &[]);
    assert_eq!(quiet.stderr, "", "-q prints only warnings and errors");
    let words = ["predict", "in.fa", "--resume", "--log-file", "run.log"];
    let ended = bench.vnp(&words);
    ended.expect(0, &["nothing was done"]);
    let log = std::fs::read_to_string(bench.path("run.log")).unwrap();
    assert_eq!(log, format!("vnp-log 1\n{}", ended.stderr));
}
