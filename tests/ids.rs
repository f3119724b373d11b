//! Ids of records: those that are not unique, those with unusual bytes, and those of several inputs.

use crate::support::{Bench, Nucleotides};

const TABLES: [&str; 3] =
    ["prediction_results.txt", "prediction_results_highestscore.csv", "sequences.tsv"];

fn table(bench: &Bench, name: &str) -> Vec<Vec<Vec<u8>>> {
    let bytes = std::fs::read(bench.path(name)).unwrap();
    let lines = bytes.strip_suffix(b"\n").unwrap().split(|byte| *byte == b'\n');
    lines.map(|line| line.split(|byte| *byte == b'\t').map(<[u8]>::to_vec).collect()).collect()
}

/// A column of `sequences.tsv` by name.
fn column(bench: &Bench, name: &str, column: &str) -> Vec<String> {
    let rows = table(bench, name);
    let index = rows[0].iter().position(|cell| cell == column.as_bytes()).unwrap();
    rows[1..].iter().map(|row| String::from_utf8(row[index].clone()).unwrap()).collect()
}

/// Three records of 600 bp, with these headers.
fn fasta(headers: &[&[u8]]) -> Vec<u8> {
    let mut letters = Nucleotides::new(5);
    let record =
        |header: &&[u8]| [b">", *header, b"\n", letters.sequence(600).as_bytes(), b"\n"].concat();
    headers.iter().flat_map(record).collect()
}

#[test]
fn equal_ids_are_counted_and_named_by_every_command_that_reads() {
    let bench = Bench::new();
    bench.write("in.fa", fasta(&[b"a", b"b", b"a one", b"a\ttwo"]));
    let message =
        "2 records have the id of an earlier record of the same file (\"a\" in record 3 of ";
    bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &[message, "--duplicate-ids number"]);
    assert_eq!(bench.json("out/run.json")["counts"]["records_with_duplicate_id"], 2);
    assert_eq!(column(&bench, "out/sequences.tsv", "sequence_id"), ["a", "b", "a", "a"]);
    let checked = bench.vnp(&["validate", "in.fa"]);
    checked.expect(0, &[message]);
    assert!(checked.stdout.contains(" 2 with the id of an earlier record"), "{}", checked.stdout);
    bench.vnp_with_stdin(&["validate", "-"], &bench.path("in.fa")).expect(0, &[message]);
}

#[test]
fn equal_ids_are_refused_on_request_before_anything_is_computed() {
    let bench = Bench::new();
    bench.write("in.fa", fasta(&[b"a", b"a"]));
    let words = ["predict", "in.fa", "-o", "out", "--duplicate-ids", "refuse"];
    bench.vnp(&words).expect(1, &["1 record has the id of an earlier record", "record 2"]);
    assert!(!bench.path("out").exists());
    bench.vnp(&["validate", "in.fa", "--duplicate-ids", "refuse"]).expect(1, &["record 2"]);
    bench.write("in.fa", fasta(&[b"a", b"a.2"]));
    bench.vnp(&words).expect(0, &[]);
    bench.vnp(&["validate", "in.fa", "--duplicate-ids", "refuse"]).expect(0, &[]);
}

#[test]
fn equal_ids_are_numbered_in_tables_only() {
    let bench = Bench::new();
    bench.write("in.fa", fasta(&[b"a", b"a", b"a.2", b"a"]));
    let numbered = ["a", "a.3", "a.2", "a.4"];
    let number = ["predict", "in.fa", "-o", "out", "--duplicate-ids", "number", "-k"];
    bench.vnp(&number).expect(0, &["2 records have"]);
    assert_eq!(column(&bench, "out/sequences.tsv", "sequence_id"), numbered);
    let frames = column(&bench, "out/prediction_results.txt", "Sequence_ID");
    let mut chunks = column(&bench, "out/prediction_results_highestscore.csv", "Modified_ID");
    for id in numbered {
        assert!(
            frames.iter().any(|frame| frame.starts_with(&format!("{id}_chunk_1"))),
            "{frames:?}"
        );
    }
    assert!(chunks.is_sorted());
    let rows = chunks.len();
    chunks.dedup();
    assert_eq!(chunks.len(), rows, "one name occurs twice: {chunks:?}");
    // FASTA and parts have the ids of the input.
    let written = std::fs::read_to_string(bench.path("out/identified_nucleotide.fa")).unwrap();
    assert!(written.contains(">a_chunk_") && !written.contains(">a.3_chunk"), "{written}");
    let before = bench.everything("out/checkpoints");

    // The same results under the ids of the input, without computing anything again.
    let resumed = ["predict", "in.fa", "-o", "out", "--resume"];
    bench.vnp(&resumed).expect(0, &["2 records have", "of them in an earlier session"]);
    assert_eq!(column(&bench, "out/sequences.tsv", "sequence_id"), ["a", "a", "a.2", "a"]);
    assert_eq!(bench.everything("out/checkpoints"), before);
    bench.vnp(&resumed).expect(0, &["nothing was done"]);
    let plain = std::fs::read(bench.path("out/prediction_results.txt")).unwrap();
    let restored = |text: Vec<u8>| {
        let text = String::from_utf8(text).unwrap();
        text.replace("a.3_", "a_").replace("a.4_", "a_").into_bytes()
    };
    bench.vnp(&[&number[..], &["--resume"]].concat()).expect(0, &["an earlier session"]);
    assert_eq!(restored(std::fs::read(bench.path("out/prediction_results.txt")).unwrap()), plain);
}

#[test]
fn several_inputs_are_distinguished_by_a_column_of_our_tables() {
    let bench = Bench::new();
    for dir in ["A", "B"] {
        std::fs::create_dir(bench.path(dir)).unwrap();
    }
    bench.write("A/c.fa", fasta(&[b"k141_1"]));
    bench.write("B/c.fa", [fasta(&[b"k141_1"]).as_slice(), b">e\n"].concat());
    let words = ["predict", "A/c.fa", "B/c.fa", "--score-all", "-o", "out"];
    let ended = bench.vnp(&words);
    ended.expect(0, &[]);
    // Equal ids in two files are not duplicates: R1 and R2 of a pair have them.
    assert!(!ended.stderr.contains("earlier record"), "{}", ended.stderr);
    assert_eq!(column(&bench, "out/sequences.tsv", "input"), ["A/c.fa", "B/c.fa", "B/c.fa"]);
    let chunks = column(&bench, "out/chunks.tsv", "input");
    assert_eq!(chunks, ["A/c.fa", "A/c.fa", "B/c.fa", "B/c.fa"]);
    assert_eq!(table(&bench, "out/sequences.tsv")[0].last().unwrap(), b"input");
    for name in &TABLES[..2] {
        let header = table(&bench, &format!("out/{name}")).remove(0);
        assert!(!header.contains(&b"input".to_vec()), "{name}");
    }
    bench.vnp(&[&words[..], &["--resume"]].concat()).expect(0, &["nothing was done"]);

    // One input has no such column; the same records from one file are the same run.
    let both = [std::fs::read(bench.path("A/c.fa")), std::fs::read(bench.path("B/c.fa"))];
    bench.write("both.fa", both.map(Result::unwrap).concat());
    bench
        .vnp(&["predict", "both.fa", "--score-all", "-o", "out", "--resume"])
        .expect(0, &["0 rows", "an earlier session"].map(|_| "an earlier session"));
    assert_eq!(table(&bench, "out/sequences.tsv")[0].last().unwrap(), b"reason");
}

/// Ids with white space that is not a blank or a tab, with `%`, and with bytes that are not UTF-8.
const UNUSUAL: [&[u8]; 5] =
    ["a\u{a0}b\u{2003}c".as_bytes(), b"v\x0bf\x0c", b"50%25", b"caf\xe9|100%", b"\xff\xfe"];

#[test]
fn every_byte_of_an_id_comes_out_in_every_table() {
    let bench = Bench::new();
    let headers: Vec<Vec<u8>> = UNUSUAL
        .iter()
        .zip(0..)
        .map(|(id, i)| [*id, if i % 2 == 0 { b" x" } else { b"\tx" }].concat())
        .collect();
    let headers: Vec<&[u8]> = headers.iter().map(Vec::as_slice).collect();
    let mut text = fasta(&headers);
    text.extend(b">bad\xe9|%\nACGE\n");
    bench.write("in.fa", text);
    bench.vnp(&["predict", "in.fa", "-o", "out", "--score-all", "-k"]).expect(2, &[]);
    let ids = |name: &str| -> Vec<Vec<u8>> {
        table(&bench, name)[1..].iter().map(|row| row[0].clone()).collect()
    };
    let sequences = ids("out/sequences.tsv");
    assert_eq!(sequences[..5], UNUSUAL.map(<[u8]>::to_vec));
    assert_eq!(sequences[5], b"bad\xe9|%");
    for name in
        ["out/prediction_results.txt", "out/prediction_results_highestscore.csv", "out/chunks.tsv"]
    {
        let found = ids(name);
        for id in UNUSUAL {
            assert!(found.iter().any(|row| row.starts_with(id)), "{name}: {}", id.escape_ascii());
        }
    }
    let written = std::fs::read(bench.path("out/identified_protein.faa")).unwrap();
    for id in UNUSUAL {
        let header = [b">", id, b"_chunk_1"].concat();
        assert!(
            written.windows(header.len()).any(|window| window == header),
            "{}",
            id.escape_ascii()
        );
    }
    let log = vnp_validate::load_failures(&bench.path("out/checkpoints/failed_files.txt")).unwrap();
    #[cfg(unix)]
    {
        use std::os::unix::ffi::OsStrExt as _;
        assert_eq!(log[0].path.as_os_str().as_bytes(), b"bad\xe9|%");
    }
    assert_eq!(log.len(), 1);
    // Checkpoints hold text; a session resumes with it.
    bench.vnp(&["validate-checkpoints", "out"]).expect(0, &[]);
    std::fs::remove_file(bench.path("out/run.json")).unwrap();
    let before = bench.results("out");
    bench
        .vnp(&["predict", "in.fa", "-o", "out", "--score-all", "-k", "--resume"])
        .expect(2, &["an earlier session"]);
    assert_eq!(bench.results("out"), before);
}

/// Runs of earlier versions had read these ids differently, and their digest of the input was over what
/// they had read.
#[test]
fn runs_begun_with_ids_that_were_cut_or_replaced_are_refused() {
    for (header, read_as) in
        [(b"caf\xe9".as_slice(), "caf\u{fffd}"), ("a\u{a0}b".as_bytes(), "a"), (b"v\x0bf", "v")]
    {
        let bench = Bench::new();
        bench.write("in.fa", fasta(&[read_as.as_bytes()]));
        bench.vnp(&["predict", "in.fa", "-o", "out"]).expect(0, &[]);
        bench.write("in.fa", fasta(&[header]));
        let resumed = bench.vnp(&["predict", "in.fa", "-o", "out", "--resume"]);
        resumed.expect(3, &["input was"]);
    }
}
