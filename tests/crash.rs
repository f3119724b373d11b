//! Runs that are killed with SIGKILL, which leaves them no time to save anything.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::support::{Bench, Nucleotides};

const RUN: [&str; 8] =
    ["predict", "in.fa", "-o", "out", "--checkpoint-rows", "16", "--resume", "-v"];
const WINDOW: u64 = 16;

/// Kills of one run before it is left to finish.
const KILLS: usize = 4;

/// Kills a run after more and more saved parts, resumes it each time, and compares the results with
/// an undisturbed run. Counts how often each row was computed from the messages.
#[test]
fn killed_runs_end_like_undisturbed_ones() {
    let bench = Bench::new();
    bench.write("in.fa", Nucleotides::new(11).fasta(60, 1_000));
    bench.vnp(&["predict", "in.fa", "-o", "undisturbed"]).expect(0, &[]);
    let mut kills = 0;
    let mut computed: BTreeMap<String, BTreeMap<u64, u64>> = BTreeMap::new();
    let patience = Instant::now() + Duration::from_secs(120);
    while kills < KILLS {
        assert!(Instant::now() < patience, "each run finished before {KILLS} kills");
        let killed = kill_after_saves(&bench, kills + 1);
        no_torn_files(&bench);
        if killed {
            count(&bench, &mut computed);
            kills += 1;
        } else {
            // It was faster than this test: begin again.
            std::fs::remove_dir_all(bench.path("out")).unwrap();
            (kills, computed) = (0, BTreeMap::new());
        }
    }
    let last = bench.vnp(&RUN);
    last.expect(0, &[]);
    bench.write("messages.txt", &last.stderr);
    count(&bench, &mut computed);
    assert_eq!(bench.results("out"), bench.results("undisturbed"));
    for (stage, rows) in computed {
        let twice: u64 = rows.values().map(|times| times - 1).sum();
        let most = KILLS as u64 * WINDOW;
        assert!(twice <= most, "{stage}: {twice} rows computed again over {KILLS} kills");
        println!("{stage}: {} rows, {twice} computed again over {KILLS} kills", rows.len());
    }
}

/// Starts or resumes the run and kills it when it has reported this many saved parts; false if it
/// ended first.
fn kill_after_saves(bench: &Bench, saves: usize) -> bool {
    let log = std::fs::File::create(bench.path("messages.txt")).unwrap();
    let mut child = bench.command(&RUN).stdout(Stdio::null()).stderr(log).spawn().unwrap();
    let patience = Instant::now() + Duration::from_secs(120);
    while child.try_wait().unwrap().is_none() {
        assert!(Instant::now() < patience, "{saves} parts were not saved in two minutes");
        let messages = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
        if messages.matches(" saved ").count() >= saves {
            // Not only right after a save, but at moments between two of them.
            std::thread::sleep(Duration::from_millis(7 * saves as u64 % 5));
            child.kill().unwrap();
            break;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    !child.wait().unwrap().success()
}

/// Adds the rows that a session has reported as computed.
fn count(bench: &Bench, computed: &mut BTreeMap<String, BTreeMap<u64, u64>>) {
    let messages = std::fs::read_to_string(bench.path("messages.txt")).unwrap();
    for line in messages.lines() {
        let Some((_, text)) = line.split_once(" computed ") else { continue };
        let Some((stage, rows)) = text.split_once(" rows ") else { continue };
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
