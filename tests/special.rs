//! What is not a file: devices and sockets as inputs, streams that are no sequences, and links in a directory that
//! came from somebody else.

use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use std::process::Stdio;

use crate::support::{Bench, Ended, Nucleotides};

/// Every command that reads sequences, of this input.
fn commands(input: &str) -> [Vec<&str>; 5] {
    [
        vec!["validate", input],
        vec!["predict", input, "-o", "out"],
        vec!["orfs", input, "--nucleotide", "n.fa", "--protein", "p.faa"],
        vec!["embed", input, "--encoder", "dnabert-s", "--weights", "mini", "-o", "e.vnp"],
        vec!["train", "--virus", input, "--others", input, "-o", "trained"],
    ]
}

#[test]
fn devices_sockets_and_directories_are_refused_by_name() {
    let bench = Bench::new();
    let _listener = UnixListener::bind(bench.path("socket.fa")).unwrap();
    std::fs::create_dir(bench.path("directory.fa")).unwrap();
    let before = std::fs::read_dir(bench.path(".")).unwrap().count();
    for (input, what) in
        [("/dev/zero", "a device"), ("socket.fa", "a socket"), ("directory.fa", "a directory")]
    {
        for words in commands(input) {
            if words[0] == "train" && what == "a directory" {
                // Of a run, which training reads.
                continue;
            }
            let found = bench.vnp(&words);
            assert_eq!(found.code, Some(1), "{words:?}\n{}", found.stderr);
            // Training says for itself what is neither a file nor a directory.
            let is_named = found.stderr.contains(what) || found.stderr.contains("neither a file");
            assert!(found.stderr.contains(input) && is_named, "{words:?}\n{}", found.stderr);
        }
    }
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), before);
}

/// What a command says of a stream that never ends.
fn of_endless_stream(bench: &Bench, words: &[&str], start: &[u8]) -> Ended {
    let mut command = bench.command(words);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let piece = [start, &[0; 4096]].concat();
    // Until the command has had enough.
    while stdin.write_all(&piece).is_ok() {}
    Ended::of(child.wait_with_output().unwrap())
}

#[test]
fn a_stream_is_recognised_before_it_is_copied() {
    let bench = Bench::new();
    let before = std::fs::read_dir(bench.path(".")).unwrap().count();
    for (start, what) in [
        (&b"\0"[..], "neither FASTA nor FASTQ"),
        (b"BAM\x01", "a BAM file"),
        (b"PK\x03\x04", "zip"),
    ] {
        for words in commands("-").iter().take(4) {
            let found = of_endless_stream(&bench, words, start);
            found.expect(1, &["standard input", what]);
        }
    }
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), before);
}

/// Puts a link to a directory or file of somebody else into a finished run, and goes on with the run.
#[track_caller]
fn check_link(link: &str, to_file: bool, code: i32) {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(71).fasta(3, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "out", "--keep-embeddings"]).expect(0, &[]);
    std::fs::create_dir(bench.path("theirs")).unwrap();
    bench.write("theirs/file", "theirs\n");
    // A name that --force would remove.
    bench.write("theirs/rows-000000000000-000000000001.vnp", "theirs");
    let before = bench.everything("theirs");
    let place = bench.path("out").join(link);
    if place.is_dir() {
        std::fs::remove_dir_all(&place).unwrap();
    } else if place.exists() {
        std::fs::remove_file(&place).unwrap();
    }
    symlink(bench.path(if to_file { "theirs/file" } else { "theirs" }), &place).unwrap();
    for start in ["--resume", "--force", "--force-resume"] {
        let found = bench.vnp(&["predict", "in.fa", "-o", "out", start]);
        assert_eq!(found.code, Some(code), "{link} {start}\n{}", found.stderr);
        if code != 0 {
            found.expect(1, &[link, "vnp writes only inside its directory"]);
        }
        assert_eq!(bench.everything("theirs"), before, "{link} {start}");
    }
}

#[test]
fn links_in_a_directory_do_not_lead_elsewhere() {
    check_link("checkpoints", false, 1);
    check_link("checkpoints/protein", false, 1);
    check_link("checkpoints/failed_checkpoints.txt", true, 1);
    check_link("checkpoints/failed_files.txt", true, 1);
    // The name is replaced, and what it led to stays.
    check_link("prediction_results.txt", true, 0);
    check_link("run.json", true, 0);
    check_link("prediction_results.txt", false, 1);
}

#[test]
fn a_log_does_not_follow_a_link_out_of_the_directory() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(72).fasta(1, 1_000));
    std::fs::create_dir(bench.path("out")).unwrap();
    symlink(bench.path("theirs.log"), bench.path("out/run.log")).unwrap();
    let words = ["predict", "in.fa", "-o", "out", "--log-file", "out/run.log"];
    bench.vnp(&words).expect(1, &["out/run.log is a symbolic link"]);
    assert!(!bench.path("theirs.log").exists());
}

/// A failure log that is a link or a pipe is named, and nothing waits for it.
#[test]
fn a_failure_log_is_a_file() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("c")).unwrap();
    bench.write("c/bad.vnp", "not a checkpoint");
    bench.write("theirs", "");
    symlink("../theirs", bench.path("c/failed_checkpoints.txt")).unwrap();
    let words = ["validate-checkpoints", "c"];
    bench.vnp(&words).expect(3, &["a symbolic link"]);
    assert_eq!(std::fs::read(bench.path("theirs")).unwrap(), b"");
    std::fs::remove_file(bench.path("c/failed_checkpoints.txt")).unwrap();
    let pipe = bench.path("c/failed_checkpoints.txt");
    make_pipe(&pipe);
    bench.vnp(&words).expect(3, &["not a regular file"]);
}

/// A model replaces no link, and says so before it reads gigabytes: here there are none to read.
#[test]
fn a_model_is_not_written_in_place_of_a_link() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("theirs")).unwrap();
    let import = ["models", "import", "--esm2", "e", "--dnabert", "d", "--head", "h"];
    for target in ["theirs", "nowhere"] {
        symlink(target, bench.path("link")).unwrap();
        let words = [&import[..], &["--expected-length", "500", "-o", "link"]].concat();
        bench.vnp(&words).expect(1, &["link is a symbolic link: name the directory itself"]);
        std::fs::remove_file(bench.path("link")).unwrap();
    }
    assert_eq!(std::fs::read_dir(bench.path(".")).unwrap().count(), 1);
}

/// Under every limit of memory with which a short record can be read, a long one is read or refused with a
/// reason; no allocation ends the process.
#[test]
fn a_record_that_memory_cannot_hold_is_an_error() {
    let bench = Bench::new();
    bench.write("short.fq", "@r\nACGT\n+\nIIII\n");
    let (letters, quality) = ("ACGT".repeat(10_000_000), "I".repeat(40_000_000));
    bench.write("long.fq", format!("@r\n{letters}\n+\n{quality}\n"));
    let validate = |limit_kib: usize, input: &str| {
        let mut command = std::process::Command::new("sh");
        let vnp = env!("CARGO_BIN_EXE_vnp");
        command.arg("-c").arg(format!("ulimit -v {limit_kib}; exec '{vnp}' validate {input}"));
        Ended::of(command.current_dir(bench.path(".")).output().unwrap())
    };
    let is_enough = |limit_kib: &usize| validate(*limit_kib, "short.fq").code == Some(0);
    let least = (1..200).map(|step| step * 5_000).find(is_enough).unwrap();
    let mut codes = Vec::new();
    for step in 0..12 {
        let found = validate(least + step * 20_000, "long.fq");
        match found.code {
            Some(0) => {}
            _ => drop(found.expect(1, &["long.fq: not enough memory to hold record 1"])),
        }
        codes.push(found.code);
    }
    assert!(codes.contains(&Some(0)) && codes.contains(&Some(1)), "{codes:?}");
}

/// A directory from somebody else whose record and state names lead to what has no end.
#[test]
fn records_and_marks_that_are_pipes_or_name_devices_are_not_waited_for() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(3).fasta(1, 600));
    let predict = ["predict", "in.fa", "-o", "out"];
    bench.vnp(&predict).expect(0, &[]);
    let record = bench.json("out/run.json");
    let victim = bench.write("victim", "mine");
    for name in ["/dev/zero", "../victim", victim.to_str().unwrap(), "checkpoints/lock"] {
        let mut record = record.clone();
        record["results"][name] = record["results"]["sequences.tsv"].clone();
        bench.write("out/run.json", record.to_string());
        let resumed = bench.vnp(&[&predict[..], &["--resume"]].concat());
        resumed.expect(0, &[&format!("{name} is not a file of this directory")]);
        assert_eq!(bench.json("out/run.json")["results"], record_without(&record, name));
        assert_eq!(std::fs::read(&victim).unwrap(), b"mine");
    }
    for name in ["run.json", "summary.json", "checkpoints/publishing.txt"] {
        let path = bench.path("out").join(name);
        let kept = std::fs::read(&path).ok();
        drop(std::fs::remove_file(&path));
        make_pipe(&path);
        for more in ["--resume", "--force", "--force-resume"] {
            let refused = bench.vnp(&[&predict[..], &[more]].concat());
            refused.expect(1, &[name, "a pipe"]);
        }
        std::fs::remove_file(&path).unwrap();
        kept.iter().for_each(|bytes| std::fs::write(&path, bytes).unwrap());
    }
    bench.vnp(&[&predict[..], &["--resume"]].concat()).expect(0, &["nothing was done"]);
}

fn make_pipe(path: &std::path::Path) {
    assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// The results of a record but one.
fn record_without(record: &serde_json::Value, name: &str) -> serde_json::Value {
    let mut results = record["results"].clone();
    results.as_object_mut().unwrap().remove(name);
    results
}
