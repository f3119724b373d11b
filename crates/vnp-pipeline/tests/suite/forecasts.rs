//! The work of a run as it is reported before and during the run, and afterwards in `run.json`.

use std::cell::RefCell;
use std::num::NonZeroU64;

use vnp_pipeline::{Estimate, Event, Progress, Publishing, RunOptions, Stage, Start, StopFlag};

use crate::support::{Counter, Fault, Observer, Setup, Silent, finished, model};

/// Keeps the events that it receives.
#[derive(Default)]
struct Listener {
    estimates: RefCell<Vec<Estimate>>,
    progress: RefCell<Vec<Progress>>,
}

impl Observer for Listener {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Estimated(estimate) => self.estimates.borrow_mut().push(estimate.clone()),
            Event::Progress(progress) => self.progress.borrow_mut().push(progress.clone()),
            _ => {}
        }
    }
}

/// Bases and residues of all rows of the setup, from the frames that it writes.
fn letters(setup: &Setup) -> [u64; 2] {
    let options = RunOptions {
        publishing: Publishing { keep_frames: true, ..Publishing::default() },
        output_dir: setup.path("frames"),
        ..setup.options(Start::New)
    };
    finished(setup.run_with(options, Fault::None, &Silent, &StopFlag::default()));
    ["identified_nucleotide.fa", "identified_protein.faa"].map(|name| {
        let text = std::fs::read_to_string(setup.path("frames").join(name)).unwrap();
        text.lines().filter(|line| !line.starts_with('>')).map(|line| line.len() as u64).sum()
    })
}

#[test]
fn the_work_is_reported_before_it_is_done() {
    let setup = Setup::new();
    let expected = letters(&setup);
    let listener = Listener::default();
    let options = setup.options(Start::New);
    finished(setup.run_with(options, Fault::None, &listener, &StopFlag::default()));
    let estimates = listener.estimates.borrow();
    let [estimate] = estimates.as_slice() else { panic!("{estimates:?}") };
    assert_eq!(estimate.devices, ["test"]);
    for (stage, letters) in [(Stage::Nucleotide, expected[0]), (Stage::Protein, expected[1])] {
        let work = estimate.of(stage);
        assert_eq!((work.encoder.as_str(), work.rows), ("counting", 240));
        // Half of the 240 rows are sampled; all have about as many tokens per letter.
        assert!(!work.is_exact);
        let tokens = (letters + 2 * 240) as f64;
        assert!((work.tokens as f64 / tokens - 1.0).abs() < 0.01, "{work:?} for {tokens}");
        assert!((work.flops / (1000.0 * tokens) - 1.0).abs() < 0.01, "{work:?}");
    }
}

#[test]
fn a_resumed_run_counts_what_is_missing() {
    let setup = Setup::new();
    let first = Counter { stop_after: Some((Stage::Scores, 100)), ..Counter::default() };
    let stop = first.stop.clone();
    setup.run_with(setup.options(Start::New), Fault::None, &first, &stop).unwrap_err();
    let listener = Listener::default();
    let options = setup.options(Start::Resume);
    finished(setup.run_with(options, Fault::None, &listener, &StopFlag::default()));
    let estimate = &listener.estimates.borrow()[0];
    assert_eq!(Stage::EMBEDDINGS.map(|stage| estimate.of(stage).rows), [140, 140]);
    let last = listener.progress.borrow().last().unwrap().clone();
    assert_eq!(Stage::EMBEDDINGS.map(|stage| last.of(stage).rows), [140, 140]);
    assert_eq!(last.left, Some(std::time::Duration::ZERO));
}

#[test]
fn tokens_of_a_small_input_are_counted() {
    let setup = Setup::new();
    std::fs::write(setup.path("in.fa"), ">a\nGCCGGCGCC\n").unwrap();
    let listener = Listener::default();
    let options = setup.options(Start::New);
    finished(setup.run_with(options, Fault::None, &listener, &StopFlag::default()));
    let estimate = &listener.estimates.borrow()[0];
    // Frames of 9, 7, 7 bases and 3, 2, 2 residues on each strand.
    let works = Stage::EMBEDDINGS.map(|stage| estimate.of(stage));
    assert!(works.iter().all(|work| work.is_exact && work.rows == 6), "{works:?}");
    assert_eq!(works.map(|work| work.tokens), [2 * (9 + 7 + 7) + 12, 2 * (3 + 2 + 2) + 12]);
}

#[test]
fn every_batch_is_followed_by_its_progress() {
    let setup = Setup::new();
    let listener = Listener::default();
    let options =
        RunOptions { checkpoint_rows: NonZeroU64::new(40).unwrap(), ..setup.options(Start::New) };
    finished(setup.run_with(options, Fault::None, &listener, &StopFlag::default()));
    let progress = listener.progress.borrow();
    // The protein encoder has done nothing yet, but its operations are known.
    let first = &progress[0];
    assert_eq!(Stage::EMBEDDINGS.map(|stage| first.of(stage).rows), [16, 0]);
    assert!(
        first.left.is_some() && first.of(Stage::Nucleotide).flops_per_second() > 0.0,
        "{first:?}"
    );
    assert!(progress.iter().all(|now| now.left.is_some()));
    let rows = |now: &Progress| now.done.values().map(|rate| rate.rows).sum::<u64>();
    assert!(progress.is_sorted_by_key(rows));
}

#[test]
fn the_record_has_rates_and_memory() {
    let setup = Setup::new();
    finished(setup.run(Start::New, Fault::None));
    let session = &setup.record()["session"];
    for key in ["survey", "load_model", "to_first_batch", "nucleotide", "protein", "scores"] {
        assert!(session["seconds"][key].as_f64().is_some_and(|seconds| seconds >= 0.0), "{key}");
    }
    for encoder in ["nucleotide", "protein"] {
        assert!(session["tokens_per_second"][encoder].as_f64().is_some_and(|rate| rate > 0.0));
    }
    assert_eq!(session["devices"], serde_json::json!(["test"]));
    let peak = session["peak_memory_bytes"].as_u64();
    assert_eq!(peak.is_some_and(|bytes| bytes > 1 << 20), cfg!(target_os = "linux"), "{peak:?}");
    // A session that only publishes has computed nothing.
    std::fs::remove_file(setup.path("out/sequences.tsv")).unwrap();
    finished(setup.run(Start::Resume, Fault::None));
    let session = &setup.record()["session"];
    assert_eq!(session["devices"], serde_json::json!([]));
    assert_eq!(session["tokens_per_second"], serde_json::json!({}));
    assert!(session["seconds"].get("to_first_batch").is_none());
}

#[test]
fn a_record_of_an_earlier_version_is_understood() {
    let setup = Setup::new();
    finished(setup.run(Start::New, Fault::None));
    let mut record = setup.record();
    let session = record["session"].as_object_mut().unwrap();
    for key in ["devices", "tokens_per_second", "peak_memory_bytes"] {
        assert!(session.remove(key).is_some() || key == "peak_memory_bytes");
    }
    let text = serde_json::to_string_pretty(&record).unwrap();
    std::fs::write(setup.path("out/run.json"), &text).unwrap();
    let load = vec![model(Fault::Panics)];
    let options = setup.options(Start::Resume);
    let summary = finished(setup.run_on(load, options, &Silent, &StopFlag::default()));
    assert!(summary.already_finished);
    assert_eq!(std::fs::read_to_string(setup.path("out/run.json")).unwrap(), text);
}
