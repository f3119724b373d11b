//! Situations of inputs: how they are compressed and wrapped, and how their records are named.

use super::case::Case;
use crate::support::Bench;

pub(super) const CASES: &[Case] = &[
    Case {
        input: "bgzf_without_end_block.fa.gz",
        command: "predict, validate",
        expected: "read, one warning; results equal to base.fa",
        check: |bench| {
            let name = "bgzf_without_end_block.fa.gz";
            let ended = same_results(bench, name, "base.fa");
            assert_eq!(ended.matches("may have been truncated").count(), 1, "{ended}");
            assert_eq!(bench.json("out/run.json")["input_maybe_truncated"], true);
            bench
                .vnp(&["validate", "field/bgzf_without_end_block.fa.gz"])
                .expect(0, &["truncated"]);
            for command in ["predict", "validate"] {
                let path = format!("field/{name}");
                bench.vnp(&[command, &path, "--strict-input"]).expect(1, &["truncated"]);
            }
        },
    },
    Case {
        input: "bgzf_cut_in_a_block.fa.gz",
        command: "predict, validate",
        expected: "refused: cut short",
        check: |bench| {
            for command in ["predict", "validate"] {
                let ended = bench.vnp(&[command, "field/bgzf_cut_in_a_block.fa.gz"]);
                ended.expect(1, &["bgzf_cut_in_a_block.fa.gz", "ends early", "truncated"]);
            }
            assert!(!bench.path("bgzf_cut_in_a_block_predictions").exists());
        },
    },
    Case {
        input: "gzip_then_zeros.fa.gz",
        command: "predict, validate",
        expected: "read; results equal to base.fa",
        check: |bench| drop(same_results(bench, "gzip_then_zeros.fa.gz", "base.fa")),
    },
    Case {
        input: "base.fa.bz2, base.fa.xz",
        command: "predict, validate",
        expected: "read; results equal to base.fa",
        check: |bench| {
            same_results(bench, "base.fa.bz2", "base.fa");
            std::fs::remove_dir_all(bench.path("out")).unwrap();
            same_results(bench, "base.fa.xz", "base.fa");
        },
    },
    Case {
        input: "wrapped.fq",
        command: "predict, validate",
        expected: "read; results equal to plain.fq",
        check: |bench| drop(same_results(bench, "wrapped.fq", "plain.fq")),
    },
    Case {
        input: "one_id.fa",
        command: "predict, validate",
        expected: "warning with count and first id; --duplicate-ids refuse|number",
        check: |bench| {
            let message =
                "2 records have the id of an earlier record of the same file (\"a\" in record 2";
            for command in ["predict", "validate"] {
                let refuse = [command, "field/one_id.fa", "--duplicate-ids", "refuse"];
                bench.vnp(&refuse).expect(1, &["\"a\" in record 2"]);
                bench.vnp(&refuse[..2]).expect(0, &[message]);
            }
            let number = ["predict", "field/one_id.fa", "--duplicate-ids", "number", "-o", "n"];
            bench.vnp(&number).expect(0, &[message]);
            assert_eq!(column(bench, "n/sequences.tsv", "sequence_id"), ["a", "a.2", "a.3"]);
        },
    },
    Case {
        input: "A/c.fa B/c.fa",
        command: "predict",
        expected: "the column input distinguishes the two k141_1",
        check: |bench| {
            bench.vnp(&["predict", "field/A/c.fa", "field/B/c.fa", "-o", "out"]).expect(0, &[]);
            let inputs = column(bench, "out/sequences.tsv", "input");
            assert_eq!(inputs, ["field/A/c.fa", "field/B/c.fa"]);
        },
    },
];

/// Predicts and validates a recipe and the plain form of it: both are read, and with the same results.
/// Returns the messages of the first prediction.
#[track_caller]
fn same_results(bench: &Bench, name: &str, plain: &str) -> String {
    let (name, plain) = (format!("field/{name}"), format!("field/{plain}"));
    let ended = bench.vnp(&["predict", &name, "-o", "out"]);
    ended.expect(0, &[]);
    bench.vnp(&["predict", &plain, "-o", "plain", "--force"]).expect(0, &[]);
    assert_eq!(bench.results("out"), bench.results("plain"));
    let summary = |name: &str| {
        let checked = bench.vnp(&["validate", name]);
        checked.expect(0, &[]);
        checked.stdout.split_once(": ").map(|(_, summary)| summary.to_owned())
    };
    assert_eq!(summary(&name), summary(&plain));
    ended.stderr
}

/// A column of a table by name.
fn column(bench: &Bench, table: &str, name: &str) -> Vec<String> {
    let text = std::fs::read_to_string(bench.path(table)).unwrap();
    let mut rows = text.lines().map(|line| line.split('\t').map(str::to_owned).collect::<Vec<_>>());
    let header = rows.next().unwrap();
    let index = header.iter().position(|cell| cell == name).unwrap();
    rows.map(|mut row| row.swap_remove(index)).collect()
}
