//! Inputs and places that are not as they should be: a clear message, the right exit code, and
//! nothing lost.

use std::io::Write as _;
use std::path::PathBuf;

use crate::support::{Bench, Ended, Nucleotides};

fn header_only(bench: &Bench, out: &str) -> bool {
    bench.results(out).values().all(|bytes| bytes.iter().filter(|b| **b == b'\n').count() == 1)
}

fn statuses(bench: &Bench, out: &str) -> Vec<(String, String)> {
    let text = String::from_utf8(bench.results(out)["sequences.tsv"].clone()).unwrap();
    let row = |line: &str| {
        let columns: Vec<_> = line.split('\t').collect();
        (columns[0].to_owned(), columns[9].to_owned())
    };
    text.lines().skip(1).map(row).collect()
}

/// A refused input leaves no directory behind when there was none.
#[track_caller]
fn check_refused(contents: &[u8], messages: &[&str]) {
    let bench = Bench::new();
    bench.write("in.fa", contents);
    let ended = bench.vnp(&["predict", "in.fa", "-o", "out"]);
    ended.expect(1, messages);
    assert!(ended.stderr.contains("in.fa") || messages.contains(&"record"), "{}", ended.stderr);
    assert!(!bench.path("out").exists(), "a refused input stands in the way of the next try");
}

#[track_caller]
fn check_accepted(contents: &[u8], code: i32, expected: &[(&str, &str)], messages: &[&str]) {
    let bench = Bench::new();
    bench.write("in.fa", contents);
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(code, messages);
    let expected: Vec<_> =
        expected.iter().map(|(id, status)| (id.to_string(), status.to_string())).collect();
    assert_eq!(statuses(&bench, "out"), expected);
}

#[test]
fn an_input_without_records_is_a_negative_control() {
    for contents in ["", "\n\n"] {
        let bench = Bench::new();
        bench.write("in.fa", contents);
        bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &["holds no records"]);
        assert!(header_only(&bench, "out"));
        assert_eq!(bench.json("out/run.json")["counts"]["records"], 0);
    }
}

#[test]
fn records_without_a_prediction_are_listed_with_their_reason() {
    let fasta = b">none\n>short\nAC\n>stops\nTAATTAATTAATTAA\n>ok\nGCCGCCGCC\n>last\n";
    let expected = [
        ("none", "empty"),
        ("short", "too_short"),
        ("stops", "no_open_frame"),
        ("ok", "scored"),
        ("last", "empty"),
    ];
    let messages = ["1 of 5 records have no ORF", "2 of 5 records are empty"];
    check_accepted(fasta, 0, &expected, &messages);
}

#[test]
fn odd_but_sound_letters_are_read() {
    check_accepted(b">rna lower crlf\r\ngccgccuuu\r\n", 0, &[("rna", "scored")], &[]);
    let runs = format!(">n\n{}\n>iupac\nGCCRYKMGCC-.X\n", "N".repeat(2_000));
    check_accepted(runs.as_bytes(), 0, &[("n", "no_open_frame"), ("iupac", "scored")], &[]);
    check_accepted(b">same\nGCCGCC\n>same\nGCCGCA\n", 0, &[("same", "scored"); 2], &[]);
}

#[test]
fn a_long_line_is_one_record() {
    let sequence = Nucleotides::new(5).sequence(10_000_000);
    let bench = Bench::new();
    bench.write("in.fa", format!(">long\n{sequence}"));
    let words = ["orfs", "in.fa", "--nucleotide", "n.fa", "--protein", "p.fa"];
    bench.vnp(&words).expect(0, &["1 record,"]);
    let first = std::fs::read_to_string(bench.path("n.fa")).unwrap();
    assert!(first.starts_with(">long_chunk_"), "{}", &first[..40]);
    let last = first.lines().rev().nth(1).unwrap();
    assert!(last.starts_with(">long_chunk_"), "{last}");
    let number = last.trim_start_matches(">long_chunk_").split(['F', 'R']).next().unwrap();
    assert!((19_900..=20_000).contains(&number.parse().unwrap()), "{last}");
}

#[test]
fn what_is_no_nucleotide_sequence_is_refused_or_listed() {
    check_refused(b">p\nMKVLAAGIVGLLLAQPSFE\n", &["none of the 1 records", "protein", "record"]);
    check_refused(&[0, 159, 146, 150, 7, 255, 0, 3], &["in.fa"]);
    check_refused(b"ACGTACGT\n", &["in.fa"]);
    let mixed = b">ok\nGCCGCCGCC\n>p\nMKVLAAGIVGLLLAQPSFE\n";
    let expected = [("ok", "scored"), ("p", "failed")];
    check_accepted(mixed, 2, &expected, &["1 record failed", "failed_files.txt"]);
}

#[test]
fn a_failed_record_is_recorded_with_its_reason() {
    let bench = Bench::new();
    bench.write("in.fa", ">ok\nGCCGCCGCC\n>a|b\nMKVLE\n");
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(2, &[]);
    let log = bench.path("out/checkpoints/failed_files.txt");
    let failures = vnp_validate::load_failed_checkpoints(&log).unwrap();
    assert_eq!(failures.len(), 1);
    assert_eq!(failures[0].path, PathBuf::from("a|b"));
    assert!(failures[0].reason.contains("'E'") || failures[0].reason.contains("'L'"));
    bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]).expect(2, &["1 record failed"]);
}

#[test]
fn a_truncated_gz_publishes_nothing_and_says_where() {
    let fasta = Nucleotides::new(6).fasta(200, 1_000);
    let mut gz = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut gz, fasta.as_bytes()).unwrap();
    let whole = gz.finish().unwrap();
    for length in [1, 5, 11, 20, whole.len() / 2, whole.len() - 4] {
        check_refused(&whole[..length], &["in.fa"]);
    }
    let bench = Bench::new();
    bench.write("in.fa", &whole[..whole.len() / 2]);
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(1, &["ends early", "in record"]);
}

#[test]
fn a_refused_input_leaves_an_earlier_run_alone() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(6).fasta(2, 600));
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &[]);
    let before = bench.everything("out");
    bench.write("bad.fa", ">p\nMKVLAAGIVE\n");
    let refused: [&[&str]; 4] = [
        &["bad.fa", "--force"],
        &["bad.fa", "--resume"],
        &["missing.fa", "--force"],
        // Nor does a model that cannot be loaded.
        &["in.fa", "--force", "--device", "cpu", "--precision", "f16"],
    ];
    for words in refused {
        bench.vnp(&[&["predict", "-o", "out"], words].concat()).expect(1, &[]);
        assert_eq!(bench.everything("out"), before, "{words:?}");
    }
}

#[test]
fn usage_errors_are_1() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCC\n");
    bench.vnp(&["predict"]).expect(1, &["INPUT"]);
    bench.vnp(&["predict", "in.fa", "--no-such-flag"]).expect(1, &["--no-such-flag"]);
    bench.vnp(&["predict", "in.fa", "--checkpoint-rows", "0"]).expect(1, &["checkpoint-rows"]);
    bench.vnp(&["predict", "in.fa", "-e", "2"]).expect(1, &["expected-length"]);
    bench.vnp(&["predict", "in.fa", "-m", "nowhere"]).expect(1, &["nowhere"]);
    bench.vnp(&["predict", "in.fa", "-m", "custom"]).expect(1, &["--model-path"]);
    bench.vnp(&["predict", "-", "-"]).expect(1, &["give it once"]);
    bench.vnp(&["predict", "missing.fa"]).expect(1, &["missing.fa"]);
    bench.vnp(&["no-such-command"]).expect(1, &["no-such-command"]);
    assert_eq!(bench.vnp(&["--version"]).code, Some(0));
    assert_eq!(bench.vnp(&["predict", "--help"]).code, Some(0));
    if !cfg!(feature = "cuda") {
        bench.vnp(&["predict", "in.fa", "-d", "cuda"]).expect(1, &["CUDA"]);
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_and_a_closed_pipe_have_their_exits() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(6).fasta(50, 600));
    let words = ["orfs", "in.fa", "--nucleotide", "/dev/full", "--protein", "p.faa"];
    bench.vnp(&words).expect(1, &["/dev/full", "No space left"]);
    assert!(!bench.path("p.faa").exists());
    // A limit of the size of files is an error too, not the death of the process.
    let line = format!(
        "ulimit -f 1; exec {} orfs in.fa --nucleotide n.fa --protein p.faa",
        env!("CARGO_BIN_EXE_vnp")
    );
    let mut shell = std::process::Command::new("sh");
    crate::support::ended(shell.args(["-c", &line]).current_dir(bench.path(".")))
        .expect(1, &["too large"]);
    assert!(!bench.path("p.faa").exists());
    // A reader that closes the pipe early does not make the command fail.
    let mut command = bench.command(&["man"]);
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let status = command.stdout(writer).status().unwrap();
    assert_eq!(status.code(), Some(0));
}

#[cfg(unix)]
#[test]
fn an_output_that_cannot_be_written_is_named() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCC\n");
    bench.write("file", "in the way");
    bench.vnp(&["predict", "in.fa", "-o", "file/out"]).expect(1, &["file"]);
    bench.vnp(&["predict", "in.fa", "-o", "file", "--force"]).expect(1, &["file"]);
    assert_eq!(std::fs::read(bench.path("file")).unwrap(), b"in the way");
    let ended: Ended = bench.vnp(&["predict", "in.fa", "-o", "/proc/vnp-out"]);
    ended.expect(1, &["/proc/vnp-out"]);
}

#[test]
fn a_bgzip_file_without_its_end_is_read_with_a_warning_or_refused() {
    let bench = Bench::new();
    let fasta: String = (0..3).map(|n| format!(">r{n}\nGCCGCCGCCGCC\n")).collect();
    let block = bgzf_block(fasta.as_bytes());
    bench.write("whole.fa.gz", [block.clone(), bgzf_block(b"")].concat());
    bench.write("cut.fa.gz", block);
    bench.vnp(&["predict", "whole.fa.gz", "-o", "whole", "--strict-input"]).expect(0, &[]);
    assert_eq!(bench.json("whole/run.json")["input_maybe_truncated"], serde_json::Value::Null);
    bench.vnp(&["predict", "cut.fa.gz", "-o", "cut"]).expect(0, &["cut.fa.gz"]);
    assert_eq!(bench.json("cut/run.json")["input_maybe_truncated"], true);
    // What a finished run says of its input is what the last session saw.
    for (input, expected) in [("whole.fa.gz", serde_json::Value::Null), ("cut.fa.gz", true.into())]
    {
        bench.vnp(&["predict", input, "-o", "cut", "--resume"]).expect(0, &["an earlier session"]);
        assert_eq!(bench.json("cut/run.json")["input_maybe_truncated"], expected);
    }
    let strict = bench.vnp(&["predict", "cut.fa.gz", "-o", "strict", "--strict-input"]);
    strict.expect(1, &["cut.fa.gz"]);
    assert!(!bench.path("strict").exists());
}

/// One block of BGZF: a gzip member that states its size.
fn bgzf_block(data: &[u8]) -> Vec<u8> {
    let mut deflated = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflated.write_all(data).unwrap();
    let deflated = deflated.finish().unwrap();
    let size = u16::try_from(18 + deflated.len() + 8 - 1).unwrap();
    let mut block = vec![0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 0xff, 6, 0, b'B', b'C', 2, 0];
    block.extend(size.to_le_bytes());
    block.extend(deflated);
    let mut crc = flate2::Crc::new();
    crc.update(data);
    block.extend(crc.sum().to_le_bytes());
    block.extend(crc.amount().to_le_bytes());
    block
}

/// An error is followed by its causes, and none of them is repeated.
#[test]
fn no_cause_is_repeated() {
    let bench = Bench::new();
    bench.write("in.fa", ">a\nGCCGCC\n");
    bench.write("cut.fa.gz", [0x1f, 0x8b, 8, 0, 0]);
    bench.write("wrong.json", "{");
    std::fs::create_dir_all(bench.path("bundle")).unwrap();
    bench.write("bundle/bundle.json", "{");
    bench.write("head.pth", "no head");
    for words in [
        &["predict", "missing.fa"][..],
        &["predict", "cut.fa.gz"],
        &["predict", "in.fa", "-m", "bundle"],
        &["predict", "in.fa", "-m", "custom", "-p", "head.pth"],
        &["predict", "in.fa", "-o", "in.fa"],
        &["validate", "missing.fa"],
        &["orfs", "in.fa", "-e", "500", "--nucleotide", "no/n.fa", "--protein", "p.faa"],
        &["checkpoint", "inspect", "missing.vnp"],
        &["models", "verify", "bundle"],
        &["validate-checkpoints", "missing"],
        &["train", "--virus", "in.fa", "--others", "missing.fa", "-o", "t"],
    ] {
        let ended = bench.vnp(words);
        assert_ne!(ended.code, Some(0), "{words:?}");
        let line = ended.stderr.lines().find(|line| line.contains(" ERROR ")).unwrap();
        let text = line.split_once(" ERROR ").unwrap().1;
        let parts: Vec<&str> = text.split(": ").collect();
        for (at, part) in parts.iter().enumerate() {
            assert!(!parts[..at].contains(part), "{words:?} says \"{part}\" twice: {text}");
        }
    }
}
