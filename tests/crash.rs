//! Kills that leave no time for anything.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Bench, Nucleotides};

const RUN: [&str; 8] =
    ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "16", "--resume", "-v"];
const WINDOW: u64 = 16;

/// Kills runs at moments that differ in what lies on disk, resumes each time, and compares the
/// results with an undisturbed run. Counts how often each row was computed from the messages.
#[test]
fn killed_runs_end_like_undisturbed_ones() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(11).fasta(60, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    let mut kills = 0;
    let mut computed: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    // After so many new files anywhere below the checkpoints, and a little more for good measure.
    for (files, more) in [(1, 0), (2, 3), (3, 1), (1, 7), (4, 2), (2, 11)] {
        let log = std::fs::File::create(bench.path("messages.txt")).unwrap();
        let mut child = bench.command(&RUN).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let running = wait_for_saves(&bench, &mut child, files);
        std::thread::sleep(Duration::from_millis(more));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        count(&bench, &mut computed);
        if running && !status.success() {
            kills += 1;
        }
        no_torn_files(&bench);
    }
    assert!(kills >= 4, "only {kills} runs were killed in the middle");
    let last = bench.vnp(&RUN);
    last.expect(0, &[]);
    bench.write("messages.txt", &last.stderr);
    count(&bench, &mut computed);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
    for (stage, rows) in computed {
        let twice: u64 = rows.values().map(|times| times - 1).sum();
        assert!(twice <= kills * WINDOW, "{stage}: {twice} rows computed again over {kills} kills");
        println!("{stage}: {} rows, {twice} computed again over {kills} kills", rows.len());
    }
}

/// Waits until the child has told of `saves` saved parts; false if it ended first.
fn wait_for_saves(bench: &Bench, child: &mut Child, saves: usize) -> bool {
    let patience = Instant::now() + Duration::from_secs(120);
    while Instant::now() < patience {
        if child.try_wait().unwrap().is_some() {
            return false;
        }
        let messages = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
        if messages.matches(" saved ").count() >= saves {
            return true;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    panic!("no part was saved in two minutes");
}

/// Adds the rows that a session says it computed.
fn count(bench: &Bench, computed: &mut BTreeMap<String, BTreeMap<u64, u64>>) {
    let messages = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
    for line in messages.lines() {
        let Some((_, told)) = line.split_once(" computed ") else { continue };
        let Some((stage, rows)) = told.split_once(" rows ") else { continue };
        let Some((start, end)) = rows.split_once("..") else { continue };
        let rows = start.parse::<u64>().unwrap()..end.parse::<u64>().unwrap();
        for row in rows {
            *computed.entry(stage.to_owned()).or_default().entry(row).or_default() += 1;
        }
    }
}

/// Whatever the moment, each file under a part's name is a whole checkpoint.
fn no_torn_files(bench: &Bench) {
    for stage in ["nucleotide", "protein", "scores"] {
        for part in bench.parts("out", stage) {
            let limits = vnp_ckpt::Limits::default();
            vnp_ckpt::load_with_compatibility(&part, &limits).unwrap();
        }
    }
}
