//! Runs that also score the chunks without an ORF.

mod sessions;

use std::collections::BTreeMap;
use std::num::NonZeroU64;

use vnp_pipeline::{
    Error, Estimate, Event, ModelInfo, RunOptions, Stage, Start, StopFlag, Summary,
};

use crate::support::{Counter, Fault, Observer, Setup, Silent, finished, info, model, predict};

/// Stops in all six frames.
const STOPS: &str = "TTAATTAATTAA";
/// Frames: six of each of the 40 records of the others, and of two chunks of the mixed one.
const FRAMES: u64 = 252;
/// Chunks without an ORF: those of 30 records, and one of the mixed one.
const CLOSED: u64 = 31;
const TABLES: [&str; 4] = [
    "prediction_results.txt",
    "prediction_results_highestscore.csv",
    "sequences.tsv",
    "chunks.tsv",
];

/// The records of the others and 30 without an ORF among them, one of open, closed and open
/// chunks, one of unknown letters, and one too short for a codon.
fn setup() -> Setup {
    let setup = Setup::new();
    let open = std::fs::read_to_string(setup.path("in.fa")).unwrap();
    let mut fasta = String::new();
    for (i, record) in open.split_inclusive('\n').collect::<Vec<_>>().chunks(2).enumerate() {
        fasta.extend(record.iter().copied());
        if i < 30 {
            fasta.push_str(&format!(">c{i}\n{STOPS}{}{}\n", "G".repeat(3 * i), "GCA".repeat(i)));
        }
        if i == 20 {
            let (open, closed) = (&"GCC".repeat(167)[..500], &STOPS.repeat(42)[..500]);
            fasta.push_str(&format!(">mixed\n{open}{closed}{open}\n"));
            fasta.push_str(">unknown\nNNNNNNNN\n>short\nA\n");
        }
    }
    std::fs::write(setup.path("in.fa"), fasta).unwrap();
    setup
}

/// Windows of ten rows.
fn options(setup: &Setup, start: Start, score_all: bool) -> RunOptions {
    RunOptions { score_all, checkpoint_rows: NonZeroU64::new(10).unwrap(), ..setup.options(start) }
}

fn run(setup: &Setup, start: Start, score_all: bool, observer: &dyn Observer) -> Summary {
    let options = options(setup, start, score_all);
    setup.run_with(options, Fault::None, observer, &StopFlag::default()).unwrap()
}

/// The tables that are there.
fn tables(setup: &Setup) -> BTreeMap<&'static str, String> {
    let read = |name| Some((name, std::fs::read_to_string(setup.path("out").join(name)).ok()?));
    TABLES.into_iter().filter_map(read).collect()
}

fn row<'t>(table: &'t str, id: &str) -> Vec<&'t str> {
    let is_row = |line: &&str| line.split('\t').next() == Some(id);
    table.lines().find(is_row).unwrap().split('\t').collect()
}

#[test]
fn frames_do_not_know_of_it() {
    let setup = setup();
    run(&setup, Start::New, false, &Silent);
    let (plain, record) = (tables(&setup), setup.record());
    let checkpoints = |setup: &Setup| -> Vec<String> {
        let listing = std::fs::read_dir(setup.path("out/checkpoints")).unwrap();
        let mut names: Vec<String> =
            listing.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(checkpoints(&setup), ["lock", "nucleotide", "protein", "scores"]);
    assert!(!plain["chunks.tsv"].contains("dna_only"), "without the flag");
    assert!(!record.to_string().contains("fallback"), "{record}");
    assert!(!record.to_string().contains("dna_only"), "{record}");

    run(&setup, Start::Again, true, &Silent);
    let all = tables(&setup);
    for name in &TABLES[..2] {
        assert_eq!(all[name], plain[name], "{name}");
    }
    // A record with an ORF keeps its row, with one column more.
    let (mut kept, mut scored) = (0, 0);
    for (old, new) in plain["sequences.tsv"].lines().zip(all["sequences.tsv"].lines()).skip(1) {
        let (mut new, old): (Vec<_>, Vec<_>) =
            (new.split('\t').collect(), old.split('\t').collect());
        let evidence = new.remove(10);
        match evidence {
            "dna_only" => {
                assert_eq!((old[9], new[9], old[6], new[10]), ("no_open_frame", "scored", "", ""));
                assert_eq!((new[2], new[3], new[4]), ("1", "1", "0"));
                scored += 1;
            }
            _ => {
                assert_eq!(new, old);
                assert_eq!(evidence, if old[9] == "scored" { "frames" } else { "" });
                kept += 1;
            }
        }
    }
    assert_eq!((kept, scored), (43, 30));
}

#[test]
fn every_chunk_with_a_codon_has_a_score() {
    let setup = setup();
    let counter = Counter::default();
    let summary = run(&setup, Start::New, true, &counter);
    assert_eq!(*counter.rows.borrow(), [FRAMES, FRAMES, FRAMES, CLOSED]);
    assert_eq!((summary.rows_scored_now, summary.orfless_chunks_scored_now), (FRAMES, CLOSED));
    let counts = summary.counts.dna_only.clone().unwrap();
    assert_eq!((counts.rows, counts.rows_failed, counts.records_scored), (CLOSED, 0, 30));
    let tables = tables(&setup);
    let lines = |evidence: &str| {
        let rows = tables["chunks.tsv"].lines().skip(1);
        rows.filter(|row| row.split('\t').nth(6) == Some(evidence)).count() as u64
    };
    assert_eq!((lines("dna_only"), lines("frames")), (CLOSED, summary.counts.chunks_scored));
    let viral = tables["chunks.tsv"].matches("\tTrue\tdna_only").count() as u64;
    assert_eq!(counts.chunks_viral, viral);
    assert!((1..CLOSED).contains(&viral), "{viral}: nothing to tell apart");
    let ids: Vec<&str> = tables["chunks.tsv"]
        .lines()
        .filter(|row| row.starts_with("mixed\t"))
        .map(|row| row.split('\t').nth(6).unwrap())
        .collect();
    assert_eq!(ids, ["frames", "dna_only", "frames"]);
    let sequences = &tables["sequences.tsv"];
    let mixed = row(sequences, "mixed");
    assert_eq!((mixed[2], mixed[3], mixed[10]), ("3", "2", "frames"));
    for (id, status) in [("unknown", "no_open_frame"), ("short", "too_short")] {
        assert_eq!((row(sequences, id)[9], row(sequences, id)[10]), (status, ""));
    }
    let record = setup.record();
    assert_eq!(record["identity"]["fallback"], "f");
    assert_eq!(record["counts"]["dna_only"]["rows"], CLOSED);
    assert_eq!(record["session"]["rows_computed"]["dna_only"], CLOSED);
    assert_eq!(record["devices"]["test"], FRAMES + CLOSED);
    assert_eq!(record["results"]["chunks.tsv"]["rows"], summary.counts.chunks);
    // Chunks of unknown letters, and shorter than a codon, have nothing to score.
    assert_eq!(lines(""), summary.counts.chunks - CLOSED - summary.counts.chunks_scored);
    assert!(lines("") == 2 && row(&tables["chunks.tsv"], "short")[10] == "no_evidence");
    assert!(record["session"]["seconds"]["dna_only"].is_number());
    let reports = vnp_validate::validate_tree(&setup.path("out"), &Default::default()).unwrap();
    assert!(reports.iter().all(vnp_validate::Report::is_ok), "{reports:?}");
    assert_eq!(reports.iter().filter(|part| part.kind.as_deref() == Some("dna_only")).count(), 4);
}

/// What a chunk says does not depend on the strand that was sequenced.
#[test]
fn both_strands_count_alike() {
    let setup = Setup::new();
    let forward = format!("{STOPS}GGGGGGCA");
    let complement = |base| match base {
        'A' => 'T',
        'C' => 'G',
        'G' => 'C',
        _ => 'A',
    };
    let reverse: String = forward.chars().rev().map(complement).collect();
    std::fs::write(setup.path("in.fa"), format!(">f\n{forward}\n>r\n{reverse}\n")).unwrap();
    run(&setup, Start::New, true, &Silent);
    let path = setup.path("out/checkpoints/dna_only/rows-000000000000-000000000002.vnp");
    let part = vnp_ckpt::load_with_compatibility(&path, &vnp_ckpt::Limits::default()).unwrap();
    assert_eq!(part.ids(), ["f_chunk_1", "r_chunk_1"]);
    let scores = part.tensor("scores").unwrap().to_f32_vec().unwrap();
    assert_eq!(scores[..2], scores[2..]);
    // The mean of what the head says of either.
    let model = model(Fault::None);
    let strands = model.nucleotide.embed(&[&forward, &reverse]).unwrap();
    let [one, other] = *model.fallback.unwrap().score(&strands).unwrap() else { panic!() };
    assert_ne!(one, other);
    assert_eq!(scores[..2], [(one[0] + other[0]) / 2.0, (one[1] + other[1]) / 2.0]);
}

#[test]
fn a_chunk_that_cannot_be_computed_fails_alone() {
    let setup = setup();
    run(&setup, Start::New, true, &Silent);
    let good = tables(&setup);
    // Only in some of the records without an ORF, and in the chunk without one of the mixed record.
    let stretch: &'static str = "TTAATTAATTAATTAATTAA";
    for (text, failed, records) in [("GGGGGGGGGGGGGCA", 26, 26), (stretch, 1, 0)] {
        let options = options(&setup, Start::Again, true);
        let outcome =
            setup.run_with(options, Fault::NotFinite(text), &Silent, &StopFlag::default());
        let counts = finished(outcome).counts;
        let dna_only = counts.dna_only.unwrap();
        assert_eq!((dna_only.rows_failed, 30 - dna_only.records_scored), (failed, records));
        assert_eq!((counts.rows_failed, counts.records_failed), (0, dna_only.rows_failed));
        let found = tables(&setup);
        assert_eq!(found[TABLES[0]], good[TABLES[0]]);
        let kept = |name| found[name].lines().filter(|line| good[name].contains(line)).count();
        let lines = |name| good[name].lines().count() as u64;
        assert_eq!(kept("chunks.tsv") as u64, lines("chunks.tsv") - dna_only.rows_failed);
        assert_eq!(found["chunks.tsv"].matches("\tfailed\t").count() as u64, dna_only.rows_failed);
        assert_eq!(found["chunks.tsv"].lines().count() as u64, lines("chunks.tsv"));
        assert_eq!(row(&found["sequences.tsv"], "mixed"), row(&good["sequences.tsv"], "mixed"));
        let failures = setup.path("out/checkpoints/failed_files.txt");
        let failures = vnp_validate::load_failed_checkpoints(&failures).unwrap();
        assert_eq!(failures.len() as u64, dna_only.rows_failed);
        assert!(failures[0].reason.contains("not finite"), "{failures:?}");
    }
}

#[test]
fn a_model_without_a_fallback_head_is_refused_before_anything_is_done() {
    let setup = setup();
    let without = ModelInfo { fallback: None, ..info() };
    let load = || panic!("loaded");
    let new = || options(&setup, Start::New, true);
    let outcome = predict(new(), &without, Box::new(load), &Silent, &StopFlag::default());
    let Err(Error::NoFallback { model: name }) = outcome else { panic!("{outcome:?}") };
    assert_eq!(name, "counting");
    assert!(!setup.path("out").exists());
    // One that was promised and is not there.
    let load = || {
        let mut model = model(Fault::None);
        model.fallback = None;
        Ok(vec![model])
    };
    let outcome = predict(new(), &info(), Box::new(load), &Silent, &StopFlag::default());
    let Err(Error::ModelShape { stage, found, .. }) = outcome else { panic!("{outcome:?}") };
    assert_eq!((stage, found), ("dna_only", 0));
}

/// Keeps the estimate.
#[derive(Default)]
struct Estimates(std::cell::RefCell<Vec<Estimate>>);

impl Observer for Estimates {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Estimated(estimate) => self.0.borrow_mut().push(estimate.clone()),
            Event::Progress(progress) => assert!(progress.left.is_some(), "{progress:?}"),
            _ => {}
        }
    }
}

#[test]
fn the_work_is_part_of_the_estimate() {
    let setup = setup();
    let estimates = Estimates::default();
    run(&setup, Start::New, true, &estimates);
    let bases = |i: u64| 12 + 6 * i;
    let letters = 2 * ((0..30).map(bases).sum::<u64>() + 500);
    let work = estimates.0.borrow()[0].of(Stage::NucleotideOnly).clone();
    assert_eq!((work.rows, work.is_exact), (CLOSED, true));
    assert_eq!(work.tokens, letters + 2 * 2 * CLOSED);
    // Of what is left after a stop, the rest.
    let first = Counter { stop_after: Some((Stage::NucleotideOnly, 10)), ..Counter::default() };
    let stop = first.stop.clone();
    let again = options(&setup, Start::Again, true);
    setup.run_with(again, Fault::None, &first, &stop).unwrap_err();
    let estimates = Estimates::default();
    run(&setup, Start::Resume, true, &estimates);
    let estimate = &estimates.0.borrow()[0];
    assert_eq!(estimate.of(Stage::NucleotideOnly).rows, CLOSED - first.rows.borrow()[3]);
    assert_eq!(estimate.of(Stage::Nucleotide).rows, 0);
}

/// Without a single frame, and without a single chunk without an ORF.
#[test]
fn a_run_of_one_kind_of_rows_is_a_run() {
    let setup = Setup::new();
    for (fasta, rows) in
        [(format!(">c\n{STOPS}\n"), [0, 0, 0, 1]), (">o\nGCCGCC\n".to_owned(), [6, 6, 6, 0])]
    {
        std::fs::write(setup.path("in.fa"), fasta).unwrap();
        let counter = Counter::default();
        run(&setup, Start::Again, true, &counter);
        assert_eq!(*counter.rows.borrow(), rows);
        assert_eq!(tables(&setup)["sequences.tsv"].matches("\tscored\t").count(), 1);
    }
    std::fs::write(setup.path("in.fa"), "").unwrap();
    run(&setup, Start::Again, true, &Silent);
    assert_eq!(tables(&setup)["chunks.tsv"].lines().count(), 1);
}
