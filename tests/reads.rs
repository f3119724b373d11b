//! `vnp reads`: what a user sees of it. The calls themselves are tested in `vnp-calls`.

use crate::support::Bench;

const CALLS: &str = "ID\tcall\ttier\tweighted_delta\tn_chunks\tn_confident_viral\tn_confident_nonviral\t\
                     n_ambiguous\tviral_proportion\tnonviral_proportion\n\
                     NODE_1_a\tViral\thigh_confidence\t0.9\t9\t8\t0\t0\t0.889\t0.0\n\
                     NODE_2_b\tNon-viral\tlow_confidence\t-0.9\t2\t0\t2\t0\t0.0\t1.0\n";

fn row(read: &str, contig: &str) -> String {
    format!("{read}\t100\t0\t100\t+\t{contig}\t1000\t0\t100\t100\t100\t60\ttp:A:P\n")
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("calls.tsv", CALLS);
    let rows = [
        row("a/1", "NODE_1_a"),
        row("a/2", "NODE_2_b"),
        row("b/1", "NODE_2_b"),
        row("c/2", "NODE_3_c"),
        row("d", "NODE_1_x"),
        row("a/1", "NODE_1_a"),
    ];
    bench.write("in.paf", rows.concat());
    bench
}

/// The ids, calls and last columns of a table.
fn short(table: &str) -> Vec<String> {
    let pick = |line: &str| {
        let fields: Vec<&str> = line.split('\t').collect();
        [fields[0], fields[9], fields.last().unwrap()].join(" ")
    };
    table.lines().skip(1).map(pick).collect()
}

#[test]
fn a_table_and_a_list_are_written() {
    let bench = bench();
    let words =
        ["reads", "calls.tsv", "--paf", "in.paf", "-o", "reads.tsv", "--keep-ids", "keep.txt"];
    bench
        .vnp(&words)
        .expect(0, &["6 alignments of 5 reads to 2 contigs", "sorted on disk", "3 reads to keep"]);
    let table = std::fs::read_to_string(bench.path("reads.tsv")).unwrap();
    let expected = [
        "a/1 Viral 0.0",
        "a/2 Non-viral 1.0",
        "b/1 Non-viral 1.0",
        "c/2 Unclassified 0.0",
        "d Unclassified 0.0",
    ];
    assert_eq!(short(&table), expected);
    assert_eq!(std::fs::read_to_string(bench.path("keep.txt")).unwrap(), "a/1\nc/2\nd\n");
    // From standard input to standard output; an existing list is replaced.
    let words = [
        "reads",
        "calls.tsv",
        "--paf",
        "-",
        "-o",
        "-",
        "--keep-ids",
        "keep.txt",
        "--keep",
        "non-viral",
    ];
    let ended = bench.vnp_with_stdin(&words, &bench.path("in.paf"));
    assert_eq!(ended.expect(0, &[]).stdout, table);
    assert_eq!(std::fs::read_to_string(bench.path("keep.txt")).unwrap(), "a/2\nb/1\n");
}

#[test]
fn groups_and_pairs_are_asked_for() {
    let bench = bench();
    let words = ["reads", "calls.tsv", "--paf", "in.paf", "-o", "reads.tsv"];
    let with = |more: &[&str]| {
        bench.vnp(&[&words, more].concat()).expect(0, &[]);
        short(&std::fs::read_to_string(bench.path("reads.tsv")).unwrap())
    };
    assert_eq!(with(&["--group-pattern", "(NODE_[0-9]+)"])[4], "d Viral 0.0");
    let pairs = ["--collapse-mates", "--keep-ids", "keep.txt"];
    let expected = [
        "a Viral Discordant",
        "b Non-viral Singleton",
        "c Unclassified Singleton",
        "d Unclassified Singleton",
    ];
    assert_eq!(with(&pairs), expected);
    assert_eq!(std::fs::read_to_string(bench.path("keep.txt")).unwrap(), "a\nc\nd\n");
}

#[test]
fn what_cannot_be_done_is_refused() {
    let bench = bench();
    let words = ["reads", "calls.tsv", "--paf", "in.paf", "-o"];
    let check = |more: &[&str], messages: &[&str]| {
        bench.vnp(&[&words, more].concat()).expect(1, messages);
        assert!(!bench.path("out.tsv").exists());
    };
    check(&["out.parquet"], &["Parquet is not written yet", ".tsv"]);
    check(&["out.tsv.gz"], &["plain text", ".gz"]);
    check(&["out.tsv", "--group-pattern", "NODE_[0-9]+"], &["has no group", "parentheses"]);
    check(&["out.tsv", "--keep", "viral"], &["--keep-ids"]);
    check(&["out.tsv", "--keep-ids", "k", "--keep", "x"], &["\"x\" is not a call", "multi-mapped"]);
    check(&["out.tsv", "--min-identity", "101"], &["0 to 100"]);
    check(&["out.tsv", "--bam", "in.bam"], &["cannot be used with"]);
    check(&["in.paf"], &["same file"]);
    check(&["calls.tsv"], &["same file"]);
    check(&["out.tsv", "--keep-ids", "out.tsv"], &["same file"]);
    bench.vnp(&["reads", "calls.tsv", "-o", "out.tsv"]).expect(1, &["--paf", "--bam"]);
    bench
        .vnp(&["reads", "in.paf", "--paf", "in.paf", "-o", "out.tsv"])
        .expect(1, &["in.paf", "no column ID"]);
    bench
        .vnp(&["reads", "calls.tsv", "--bam", "in.paf", "-o", "out.tsv"])
        .expect(1, &["not a BAM file"]);
    bench
        .vnp(&["reads", "calls.tsv", "--paf", "none.paf", "-o", "out.tsv"])
        .expect(1, &["none.paf"]);
    bench.write("in.paf", row("a", "NODE_1_a") + "b\t1\n");
    check(&["out.tsv"], &["in.paf: line 2: it has 2 columns"]);
    assert!(
        !std::fs::read_dir(bench.path("."))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with('.') })
    );
    bench.write("in.paf", "");
    bench.vnp(&[&words[..], &["out.tsv"]].concat()).expect(0, &["no alignments"]);
    assert_eq!(std::fs::read_to_string(bench.path("out.tsv")).unwrap().lines().count(), 1);
}
