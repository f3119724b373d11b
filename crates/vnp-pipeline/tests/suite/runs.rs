//! Runs that are stopped, continued, and given odd models and inputs.

use std::num::NonZeroU64;
use std::path::Path;
use std::sync::Mutex;
use std::time::Duration;

use vnp_pipeline::{Error, Input, ModelInfo, OnBadFile, RunOptions, Stage, Start, StopFlag, Track};

use crate::support::{Counter, Fault, Setup, Silent, finished, info, model, predict};

#[test]
fn a_row_that_is_not_finite_fails_alone() {
    let setup = Setup::new();
    let undisturbed = finished(setup.run(Start::New, Fault::None)).counts;
    assert_eq!((undisturbed.rows, undisturbed.rows_failed), (240, 0));
    let good = setup.table("prediction_results.txt");
    // Only nucleotides of some frames hold this.
    let faulty = || Fault::NotFinite("CGCCGGCG");
    let summary = finished(setup.run(Start::Again, faulty()));
    let failed = summary.counts.rows_failed;
    assert!((1..100).contains(&failed), "{failed}");
    assert_eq!(summary.counts.rows, 240);
    let left = setup.table("prediction_results.txt");
    assert_eq!(left.len() as u64, 240 - failed);
    assert!(left.iter().all(|line| good.contains(line)), "another row was touched");
    let sequences = setup.table("sequences.tsv");
    let marked = sequences.iter().filter(|line| line.contains("\tfailed\t")).count() as u64;
    assert_eq!(marked, summary.counts.records_failed);
    let log =
        vnp_validate::load_failed_checkpoints(&setup.path("out/checkpoints/failed_files.txt"));
    assert_eq!(log.unwrap().len() as u64, marked);
    // A failed row is done: resuming neither computes it again nor forgets it.
    let again = finished(setup.run(Start::Resume, faulty()));
    assert!(again.already_finished);
    assert_eq!(again.counts, summary.counts);
}

/// Stops at every stage and early or late in it, then continues.
#[test]
fn a_stop_saves_what_was_computed_and_nothing_is_computed_twice() {
    for (stage, after) in [
        (Stage::Nucleotide, 1),
        (Stage::Nucleotide, 50),
        (Stage::Protein, 1),
        (Stage::Protein, 130),
        (Stage::Scores, 1),
        (Stage::Scores, 240),
    ] {
        let setup = Setup::new();
        let first = Counter { stop_after: Some((stage, after)), ..Counter::default() };
        let stop = first.stop.clone();
        let outcome = setup.run_with(setup.options(Start::New), Fault::None, &first, &stop);
        assert_eq!(outcome.unwrap_err().interrupted().unwrap().signal, 15);
        assert_eq!(first.rows, first.saved, "computed and not saved");
        assert!(!setup.path("out/prediction_results.txt").exists());
        let second = Counter::default();
        let options = setup.options(Start::Resume);
        let summary = finished(setup.run_with(options, Fault::None, &second, &StopFlag::default()));
        assert_eq!(summary.counts.rows, 240);
        for &stage in Stage::of_track(Track::Frames) {
            let rows = first.rows.borrow()[stage as usize] + second.rows.borrow()[stage as usize];
            assert_eq!(rows, 240, "{stage} after a stop at {after}");
        }
        let resumed = setup.table("prediction_results.txt");
        finished(setup.run(Start::Again, Fault::None));
        assert_eq!(setup.table("prediction_results.txt"), resumed);
        assert_eq!((setup.parts(Stage::Nucleotide), setup.parts(Stage::Protein)), (0, 0));
    }
}

#[test]
fn the_interval_bounds_what_a_crash_may_cost() {
    let setup = Setup::new();
    let options = RunOptions {
        checkpoint_interval: Duration::ZERO,
        keep_embeddings: true,
        ..setup.options(Start::New)
    };
    finished(setup.run_with(options, Fault::None, &Silent, &StopFlag::default()));
    // Slices start at 16 rows and windows at 100: several parts a window instead of one.
    assert!(setup.parts(Stage::Nucleotide) > 3, "{}", setup.parts(Stage::Nucleotide));
    assert_eq!(setup.parts(Stage::Scores), 3);
}

#[test]
fn a_finished_run_loads_no_model() {
    let setup = Setup::new();
    finished(setup.run(Start::New, Fault::None));
    std::fs::remove_file(setup.path("out/sequences.tsv")).unwrap();
    let outcome = predict(
        setup.options(Start::Resume),
        &info(),
        Box::new(|| panic!("the model was loaded although no row was missing")),
        &Silent,
        &StopFlag::default(),
    );
    assert_eq!(finished(outcome).rows_scored_now, 0);
    assert_eq!(setup.table("sequences.tsv").len(), 40);
}

#[test]
fn kept_embeddings_outlive_a_session_that_does_not_ask_for_them() {
    let setup = Setup::new();
    let options = RunOptions { keep_embeddings: true, ..setup.options(Start::New) };
    finished(setup.run_with(options, Fault::None, &Silent, &StopFlag::default()));
    std::fs::remove_file(setup.path("out/run.json")).unwrap();
    finished(setup.run(Start::Resume, Fault::None));
    assert_eq!(setup.parts(Stage::Nucleotide), 3);
}

#[test]
fn a_model_of_the_wrong_shape_is_an_error() {
    let setup = Setup::new();
    let Err(Error::ModelShape { stage, expected, found }) = setup.run(Start::New, Fault::Short)
    else {
        panic!("taken")
    };
    assert_eq!((stage, expected - found), ("nucleotide", 1));
}

#[test]
fn what_was_computed_before_the_encoder_failed_is_saved() {
    let setup = Setup::new();
    let text = std::fs::read_to_string(setup.path("in.fa")).unwrap();
    std::fs::write(setup.path("in.fa"), text + ">last\nGCCAAAGCC\n").unwrap();
    let counter = Counter::default();
    let options = RunOptions {
        checkpoint_rows: NonZeroU64::new(1_000).unwrap(),
        ..setup.options(Start::New)
    };
    let outcome = setup.run_with(options, Fault::Fails("AAA"), &counter, &StopFlag::default());
    let Err(Error::Model(_)) = outcome else { panic!("{outcome:?}") };
    assert_eq!(counter.rows, counter.saved);
    assert!(counter.saved.borrow()[0] > 100, "{:?}", counter.saved);
}

#[test]
fn embeddings_of_an_earlier_session_are_kept_when_a_later_one_asks() {
    let setup = Setup::new();
    let first = Counter { stop_after: Some((Stage::Nucleotide, 150)), ..Counter::default() };
    let stop = first.stop.clone();
    setup.run_with(setup.options(Start::New), Fault::None, &first, &stop).unwrap_err();
    let options = RunOptions { keep_embeddings: true, ..setup.options(Start::Resume) };
    let second = Counter::default();
    finished(setup.run_with(options, Fault::None, &second, &StopFlag::default()));
    let limits = vnp_ckpt::Limits::default();
    for stage in Stage::EMBEDDINGS {
        let dir = setup.path("out/checkpoints").join(stage.name());
        let rows: u64 = std::fs::read_dir(dir)
            .unwrap()
            .map(|part| vnp_ckpt::read_header(&part.unwrap().path(), &limits).unwrap().rows.len())
            .sum();
        assert_eq!(rows, 240, "{stage}");
    }
}

#[test]
fn an_input_that_is_edited_under_the_run_is_not_published_and_no_part_is_blamed() {
    let edits: [fn(String) -> String; 3] = [
        |text| text + ">late\nGCCGCC\n",
        |text| format!(">early\nGCCGCC\n{text}"),
        |text| text.replace(">r7\n", ">r7\nGCC"),
    ];
    for edit in edits {
        let setup = Setup::new();
        let fault = Fault::Edits(Mutex::new(Some(setup.path("in.fa"))), edit);
        let options = RunOptions { on_bad_part: OnBadFile::Recompute, ..setup.options(Start::New) };
        let outcome = setup.run_with(options, fault, &Silent, &StopFlag::default());
        let Err(Error::InputChanged { .. }) = outcome else { panic!("{outcome:?}") };
        assert!(!setup.path("out/prediction_results.txt").exists());
        assert_eq!(setup.parts(Stage::Scores), 3, "a part was quarantined");
    }
}

#[test]
fn a_run_that_fails_before_its_first_row_leaves_no_directory() {
    let setup = Setup::new();
    let missing = |path: &Path| RunOptions {
        inputs: vec![Input::File(path.to_owned())],
        ..setup.options(Start::New)
    };
    let options = missing(&setup.path("nowhere.fa"));
    let outcome = setup.run_with(options, Fault::None, &Silent, &StopFlag::default());
    let Err(Error::Sequence(error)) = outcome else { panic!("{outcome:?}") };
    assert!(error.to_string().contains("nowhere.fa"), "{error}");
    assert!(!setup.path("out").exists());
    finished(setup.run(Start::New, Fault::None));
}

#[test]
fn another_head_reuses_embeddings_but_not_scores() {
    let setup = Setup::new();
    let options = RunOptions { keep_embeddings: true, ..setup.options(Start::New) };
    finished(setup.run_with(options, Fault::None, &Silent, &StopFlag::default()));
    let other = ModelInfo { head: "other".into(), ..info() };
    let run = |observer: &Counter| {
        let load = Box::new(|| Ok(vec![model(Fault::None)]));
        predict(setup.options(Start::Resume), &other, load, observer, &StopFlag::default())
    };
    let counter = Counter::default();
    let Err(Error::Job(vnp_job::Error::OtherIdentity { differences, .. })) = run(&counter) else {
        panic!("taken")
    };
    let fields: Vec<_> = differences.iter().map(|difference| difference.field.as_str()).collect();
    assert_eq!(fields, ["head"]);
    std::fs::remove_file(setup.path("out/run.json")).unwrap();
    std::fs::remove_dir_all(setup.path("out/checkpoints/scores")).unwrap();
    finished(run(&counter));
    assert_eq!(*counter.rows.borrow(), [0, 0, 240, 0]);
}
