//! Nothing of the user's is destroyed: outputs that are inputs, logs, and the formats that names ask for.

use std::io::Read as _;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::support::{Bench, Nucleotides, ended};

const PROTEIN: &str = ">p\nMKVLAETRQNDWFYHICGPSTK\n";

/// A bench with `a.fa`, `p.faa`, and a symbolic and a hard link to each.
fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("a.fa", Nucleotides::new(31).fasta(3, 1_000));
    bench.write("p.faa", PROTEIN);
    for name in ["a.fa", "p.faa"] {
        symlink(name, bench.path(&format!("soft-{name}"))).unwrap();
        std::fs::hard_link(bench.path(name), bench.path(&format!("hard-{name}"))).unwrap();
    }
    std::fs::create_dir(bench.path("d")).unwrap();
    symlink("d", bench.path("e")).unwrap();
    bench
}

/// Runs a command that must be refused, with no file changed or made.
#[track_caller]
fn refused(bench: &Bench, words: &[&str], messages: &[&str]) {
    let before = bench.everything(".");
    let found = bench.vnp(words);
    found.expect(1, messages);
    assert_eq!(bench.everything("."), before, "{words:?}");
}

#[test]
fn an_output_that_is_an_input_is_refused_in_every_command() {
    let bench = bench();
    let same = ["are the same file"];
    for name in ["a.fa", "soft-a.fa", "hard-a.fa", "d/../a.fa", "./e/../a.fa"] {
        refused(&bench, &["orfs", "a.fa", "--nucleotide", name, "--protein", "p"], &same);
        refused(&bench, &["orfs", "a.fa", "--nucleotide", "n", "--protein", name], &same);
        for command in ["validate", "predict"] {
            refused(&bench, &[command, "a.fa", "--log-file", name], &same);
        }
        refused(&bench, &["predict", "a.fa", "-o", name], &same);
    }
    for name in ["p.faa", "soft-p.faa", "hard-p.faa"] {
        let embed = ["embed", "p.faa", "--encoder", "esm2", "--weights", "mini", "-o", name];
        refused(&bench, &embed, &same);
    }
    refused(&bench, &["train", "--virus", "a.fa", "--others", "p.faa", "-o", "a.fa"], &same);
    refused(&bench, &["train", "a.fa", "--labels", "l.tsv", "-o", "l.tsv"], &same);
    let import = |head: &'static str| {
        ["models", "import", "--esm2", "p.faa", "--dnabert", "d", "--head", head]
            .into_iter()
            .chain(["--expected-length", "500", "-o", "d/new"])
            .collect::<Vec<_>>()
    };
    refused(&bench, &import("d/new/head.pth"), &["replaced as a whole"]);
    refused(&bench, &import("e/new"), &same);
    refused(&bench, &[&import("a.fa")[..], &["--log-file", "d/new/log"]].concat(), &["as a whole"]);
    let checkpoint = vnp_ckpt::Checkpoint::builder("x").build().unwrap();
    vnp_ckpt::atomic_save(&bench.path("x.vnp"), &checkpoint).unwrap();
    symlink("x.vnp", bench.path("y.pt")).unwrap();
    refused(&bench, &["checkpoint", "convert", "x.vnp", "x.vnp"], &same);
    refused(&bench, &["checkpoint", "convert", "x.vnp", "y.pt"], &same);
    refused(&bench, &["checkpoint", "convert", "x.vnp", "z.vnp", "--log-file", "z.vnp"], &same);
    refused(&bench, &["checkpoint", "inspect", "x.vnp", "--log-file", "x.vnp"], &same);
    // The failure log leads to a checkpoint.
    symlink("x.vnp", bench.path("failed_checkpoints.txt")).unwrap();
    refused(&bench, &["validate-checkpoints", ".", "--log-failures"], &same);
}

#[test]
fn standard_input_is_an_input_too() {
    let bench = bench();
    let before = bench.everything(".");
    let words = ["orfs", "-", "--nucleotide", "hard-a.fa", "--protein", "p"];
    bench.vnp_with_stdin(&words, &bench.path("a.fa")).expect(1, &["are the same file"]);
    assert_eq!(bench.everything("."), before);
}

#[test]
fn two_outputs_that_are_one_file_are_refused() {
    let bench = bench();
    let same = ["are the same file: give each output a file of its own"];
    for (one, other) in [("n", "n"), ("d/n", "e/n"), ("-", "/dev/stdout"), ("n", "./d/../n")] {
        refused(&bench, &["orfs", "a.fa", "--nucleotide", one, "--protein", other], &same);
    }
    let log = ["orfs", "a.fa", "--nucleotide", "d/n", "--protein", "p", "--log-file", "e/n"];
    refused(&bench, &log, &same);
    for name in ["run.json", "sequences.tsv", "checkpoints/failed_files.txt", "checkpoints/lock"] {
        let log = format!("d/{name}");
        refused(&bench, &["predict", "a.fa", "-o", "e", "--log-file", &log], &same);
    }
    let train = ["train", "--virus", "a.fa", "--others", "p.faa", "-o", "d", "--log-file"];
    refused(&bench, &[&train[..], &["e/bundle/log"]].concat(), &["replaced as a whole"]);
    bench
        .vnp(&["orfs", "a.fa", "--nucleotide", "/dev/null", "--protein", "/dev/null"])
        .expect(0, &[]);
}

#[test]
fn force_removes_no_input() {
    let bench = bench();
    bench.vnp(&["predict", "a.fa", "-o", "out", "-k"]).expect(0, &[]);
    let among = |name: &str| format!("out/{name}");
    let input = among("identified_nucleotide.fa");
    refused(&bench, &["predict", &input, "-o", "out", "--force"], &["are the same file"]);
    symlink("out", bench.path("link")).unwrap();
    refused(&bench, &["predict", &input, "-o", "link", "--force"], &["are the same file"]);
    let old = ["predict", "a.fa", "-o", "out", "--force", "--resume-from", "out"];
    refused(&bench, &old, &["are the same file"]);
    std::fs::create_dir_all(bench.path("t/prepared")).unwrap();
    bench.write("t/prepared/virus.fa", ">a\nACGT\n");
    let virus = "t/prepared/virus.fa";
    let train = ["train", "--virus", virus, "--others", "a.fa", "-o", "t", "--force"];
    refused(&bench, &train, &[virus, "replaced as a whole"]);
    let model = ["train", "--virus", "a.fa", "--others", "p.faa", "-o", "t", "-m", "t/bundle"];
    std::fs::create_dir(bench.path("t/bundle")).unwrap();
    refused(&bench, &model, &["are the same file"]);
    // An input that no run replaces may lie in the output directory.
    bench.write("out/in.fa", Nucleotides::new(3).fasta(2, 700));
    bench.vnp(&["predict", "out/in.fa", "-o", "out", "--force"]).expect(0, &[]);
    assert!(bench.path("out/in.fa").exists());
}

#[test]
fn a_log_is_appended_only_to_a_log() {
    let bench = bench();
    let words = |log: &'static str| ["validate", "a.fa", "--log-file", log];
    for (name, text) in [("notes.txt", "my notes\n"), ("reads.fa", ">x\nACGT\n"), ("zeros", "\0\0")]
    {
        bench.write(name, text);
        let found = bench.vnp(&["validate", "a.fa", "--log-file", name]);
        found.expect(1, &[name, "is not a log file of vnp", "name another file"]);
        assert_eq!(std::fs::read(bench.path(name)).unwrap(), text.as_bytes());
    }
    bench.write("empty.log", "");
    bench.write("old.log", "2026-01-01T00:00:00Z INFO  from an earlier version\n");
    for log in ["new.log", "empty.log", "old.log"] {
        let read = || std::fs::read_to_string(bench.path(log)).unwrap_or_default();
        let before = read();
        bench.vnp(&["predict", "a.fa", "-o", "out", "--log-file", log]).expect(0, &[]);
        std::fs::remove_dir_all(bench.path("out")).unwrap();
        let text = read();
        let head = if log == "old.log" { before } else { "vnp-log 1\n".to_owned() };
        assert!(text.starts_with(&head) && text.contains("model mini"), "{text}");
        bench.vnp(&words(log)).expect(0, &[]);
        assert_eq!(read().matches("vnp-log").count(), usize::from(log != "old.log"));
    }
    refused(&bench, &words("none/run.log"), &["cannot open the log file"]);
    for special in ["/dev/null", "/dev/stderr", "/dev/fd/2"] {
        bench.vnp(&["predict", "a.fa", "-o", "out", "--log-file", special]).expect(0, &[]);
        std::fs::remove_dir_all(bench.path("out")).unwrap();
    }
}

#[test]
fn a_log_to_a_pipe_or_redirected_standard_error_is_left_as_it_is() {
    let bench = bench();
    let log = bench.write("err.txt", "of the user\n");
    let err = std::fs::File::options().append(true).open(&log).unwrap();
    let mut command =
        bench.command(&["predict", "a.fa", "-o", "out", "-q", "--log-file", "/dev/stderr"]);
    assert!(command.stderr(err).status().unwrap().success());
    assert_eq!(std::fs::read_to_string(&log).unwrap(), "of the user\n");
    let status = std::process::Command::new("mkfifo").arg(bench.path("pipe")).status();
    if status.is_ok_and(|status| status.success()) {
        let pipe = bench.path("pipe");
        let reader = std::thread::spawn(move || std::fs::read_to_string(pipe).unwrap());
        bench.vnp(&["predict", "a.fa", "-o", "b", "--log-file", "pipe"]).expect(0, &[]);
        assert!(reader.join().unwrap().contains(" INFO  "));
    }
}

fn orfs(bench: &Bench, nucleotide: &str, protein: &str) -> crate::support::Ended {
    bench.vnp(&["orfs", "a.fa", "--nucleotide", nucleotide, "--protein", protein])
}

#[test]
fn orfs_are_written_in_the_format_that_the_name_says() {
    let bench = bench();
    orfs(&bench, "n.fa", "p").expect(0, &[]);
    let read = |name: &str| std::fs::read(bench.path(name)).unwrap();
    let (nucleotide, protein) = (read("n.fa"), read("p"));
    assert!(nucleotide.starts_with(b">") && protein.starts_with(b">"));
    for name in ["n.fa.gz", "n.bgz", "N.FA.GZ"] {
        orfs(&bench, name, "p.faa.gz").expect(0, &[]);
        for (name, expected) in [(name, &nucleotide), ("p.faa.gz", &protein)] {
            let mut text = Vec::new();
            flate2::read::MultiGzDecoder::new(&*read(name)).read_to_end(&mut text).unwrap();
            assert_eq!(&text, expected, "{name}");
        }
        // Our own reader finds its end mark.
        let found = bench.vnp(&["validate", name]);
        assert!(!found.expect(0, &[]).stderr.contains("truncated"), "{}", found.stderr);
    }
    orfs(&bench, "n.fa.zst", "p2").expect(0, &[]);
    assert_eq!(read("n.fa.zst")[..4], [0x28, 0xb5, 0x2f, 0xfd]);
    let counted = |name: &str| bench.vnp(&["validate", name]).stdout.replace(name, "");
    assert_eq!(counted("n.fa.zst"), counted("n.fa"));
    for name in ["x.fa.bz2", "x.xz", "x.fastq", "x.fa.zip", "x.bam"] {
        orfs(&bench, name, "y").expect(1, &[name, "is not a format of FASTA"]);
        orfs(&bench, "y", name).expect(1, &[name]);
        assert!(!bench.path(name).exists() && !bench.path("y").exists());
    }
    for name in ["a.npz", "a"] {
        let checkpoint = vnp_ckpt::Checkpoint::builder("x").build().unwrap();
        vnp_ckpt::atomic_save(&bench.path("x.vnp"), &checkpoint).unwrap();
        bench.vnp(&["checkpoint", "convert", "x.vnp", name]).expect(1, &[name, ".safetensors"]);
        assert!(!bench.path(name).exists());
    }
}

#[test]
fn orfs_go_to_standard_output_wherever_that_leads() {
    let bench = bench();
    orfs(&bench, "n.fa", "p").expect(0, &[]);
    let expected = std::fs::read_to_string(bench.path("n.fa")).unwrap();
    symlink("/dev/stdout", bench.path("link.fa")).unwrap();
    for name in ["-", "/dev/stdout", "/dev/fd/1", "link.fa"] {
        assert_eq!(orfs(&bench, name, "p").expect(0, &[]).stdout, expected, "{name}");
        // Standard output is a file that holds something already.
        let file = bench.write("all.fa", ">mine\nA\n");
        let out = std::fs::File::options().append(true).open(&file).unwrap();
        let mut command = bench.command(&["orfs", "a.fa", "--nucleotide", name, "--protein", "p"]);
        assert!(command.stdout(out).status().unwrap().success());
        assert_eq!(std::fs::read_to_string(&file).unwrap(), format!(">mine\nA\n{expected}"));
    }
    assert!(Path::new("/dev/stdout").is_symlink() && bench.path("link.fa").is_symlink());
    // From a pipe to a pipe.
    let mut command = bench.command(&["orfs", "-", "--nucleotide", "-", "--protein", "/dev/null"]);
    command.stdin(std::fs::File::open(bench.path("a.fa")).unwrap());
    assert_eq!(ended(&mut command).expect(0, &[]).stdout, expected);
    // A pipe that is read to its end: an input that is standard output too is refused.
    let file = std::fs::File::options().append(true).open(bench.path("a.fa")).unwrap();
    let mut command = bench.command(&["orfs", "a.fa", "--nucleotide", "-", "--protein", "p"]);
    assert_eq!(command.stdout(file).status().unwrap().code(), Some(1));
}

/// A name that the shell gave to an open file is that file.
#[test]
fn a_log_on_an_open_file_is_checked_like_any_other() {
    let bench = Bench::new();
    bench.write("a.fa", Nucleotides::new(41).fasta(3, 1_000));
    bench.write("notes.txt", "mine\n");
    let before = bench.everything(".");
    let vnp = env!("CARGO_BIN_EXE_vnp");
    for (words, redirection) in [
        ("predict a.fa -o o --log-file /dev/fd/3", "3>>a.fa"),
        ("predict a.fa -o o --log-file /dev/stdout", ">>a.fa"),
        ("predict - -o o --log-file /dev/fd/0", "<a.fa"),
        ("predict a.fa -o o --log-file /dev/fd/3", "3>>notes.txt"),
        ("orfs a.fa --nucleotide - --protein p.fa --log-file /dev/stdout", ">>notes.txt"),
    ] {
        let mut shell = std::process::Command::new("sh");
        let line = format!("exec {vnp} {words} {redirection}");
        shell.args(["-c", &line]).current_dir(bench.path("."));
        crate::support::ended(&mut shell).expect(1, &[]);
        assert_eq!(bench.everything("."), before, "{words} {redirection}");
    }
    let line = format!("exec {vnp} predict a.fa -o o --log-file /dev/stderr 2>>log.txt");
    let mut shell = std::process::Command::new("sh");
    shell.args(["-c", &line]).current_dir(bench.path("."));
    crate::support::ended(&mut shell).expect(0, &[]);
}

/// What a killed session left of standard input is the only copy of it.
#[test]
fn an_input_among_unfinished_work_is_refused() {
    let bench = Bench::new();
    std::fs::create_dir_all(bench.path("o/checkpoints")).unwrap();
    bench.write("o/checkpoints/standard-input-x", ">a\nACGT\n");
    let input = "o/checkpoints/standard-input-x";
    for how in [&[][..], &["--resume"], &["--force"]] {
        let words = [&["predict", input, "-o", "o"], how].concat();
        bench.vnp(&words).expect(1, &[input, "move it"]);
        assert!(bench.path(input).exists());
    }
}
