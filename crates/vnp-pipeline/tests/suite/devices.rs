//! Several devices that share the rows of a run.

use std::collections::BTreeMap;
use std::num::NonZeroU64;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use vnp_infer::Model;
use vnp_pipeline::{Error, Event, OnBadFile, RunOptions, Stage, Start, StopFlag, Track, Trust};

use crate::support::{Counter, Fault, Observer, Race, Setup, Silent, finished, model_on};

/// This many devices on which nothing goes wrong.
fn sound(devices: usize) -> Vec<Model> {
    (0..devices).map(|number| model_on(&format!("test:{number}"), Fault::None)).collect()
}

/// Windows of ten rows, so that there is something to share.
fn options(setup: &Setup, start: Start) -> RunOptions {
    RunOptions { checkpoint_rows: NonZeroU64::new(10).unwrap(), ..setup.options(start) }
}

/// The published tables and the names of the parts.
fn files(setup: &Setup) -> BTreeMap<String, Vec<u8>> {
    let tables = ["prediction_results.txt", "prediction_results_highestscore.csv", "sequences.tsv"];
    let mut files: BTreeMap<_, _> = tables
        .iter()
        .map(|name| (name.to_string(), std::fs::read(setup.path("out").join(name)).unwrap()))
        .collect();
    for &stage in Stage::of_track(Track::Frames) {
        let dir = setup.path("out/checkpoints").join(stage.name());
        for part in std::fs::read_dir(dir).unwrap() {
            let name = part.unwrap().file_name().to_string_lossy().into_owned();
            files.insert(format!("{stage}/{name}"), Vec::new());
        }
    }
    files
}

#[test]
fn several_devices_leave_the_files_that_one_leaves() {
    let setup = Setup::new();
    let run = |devices| {
        let options = options(&setup, Start::Again);
        finished(setup.run_on(sound(devices), options, &Silent, &StopFlag::default()));
        files(&setup)
    };
    let expected = run(1);
    assert!(expected.contains_key("scores/rows-000000000230-000000000240.vnp"));
    for devices in [2, 3, 40] {
        assert!(run(devices) == expected, "{devices} devices");
    }
}

#[test]
fn a_slow_device_does_not_hold_up_a_fast_one() {
    let setup = Setup::new();
    let race = Arc::new(Race::default());
    // Until the other has done every window but one.
    let slow = model_on("slow", Fault::Waits(Arc::clone(&race), 230));
    let fast = model_on("fast", Fault::Follows(race));
    let options = options(&setup, Start::New);
    finished(setup.run_on(vec![slow, fast], options, &Silent, &StopFlag::default()));
    let record = setup.record();
    assert_eq!(record["devices"], serde_json::json!({"fast": 230, "slow": 10}));
    assert_eq!(record["session"]["devices"], serde_json::json!(["slow", "fast"]));
}

#[test]
fn when_a_device_fails_the_others_save_their_work() {
    let setup = Setup::new();
    let race = Arc::new(Race::default());
    let bad = model_on("bad", Fault::FailsAfter(Arc::clone(&race), 20));
    let good = |name| model_on(name, Fault::Follows(Arc::clone(&race)));
    let first = Counter::default();
    let models = vec![good("a"), bad, good("b")];
    let outcome = setup.run_on(models, options(&setup, Start::New), &first, &StopFlag::default());
    let Err(Error::Model(vnp_infer::Error::RowCount { .. })) = outcome else {
        panic!("{outcome:?}")
    };
    assert_eq!(first.rows, first.saved, "computed and not saved");
    assert!(first.saved.borrow()[0] >= 20, "{:?}", first.saved);
    // The rest is computed without the bad one, and nothing twice.
    let second = Counter::default();
    let outcome =
        setup.run_on(sound(2), options(&setup, Start::Resume), &second, &StopFlag::default());
    finished(outcome);
    for stage in 0..3 {
        assert_eq!(first.rows.borrow()[stage] + second.rows.borrow()[stage], 240);
    }
}

#[test]
fn a_stop_reaches_every_device() {
    for (stage, after) in [(Stage::Nucleotide, 1), (Stage::Protein, 60), (Stage::Scores, 100)] {
        let setup = Setup::new();
        let first = Counter { stop_after: Some((stage, after)), ..Counter::default() };
        let stop = first.stop.clone();
        let outcome = setup.run_on(sound(3), options(&setup, Start::New), &first, &stop);
        assert_eq!(outcome.unwrap_err().interrupted().unwrap().signal, 15);
        assert_eq!(first.rows, first.saved, "computed and not saved");
        assert!(first.rows.borrow()[Stage::Nucleotide as usize] < 240, "{:?}", first.rows);
        let second = Counter::default();
        let models = sound(3);
        let options = options(&setup, Start::Resume);
        finished(setup.run_on(models, options, &second, &StopFlag::default()));
        for stage in 0..3 {
            assert_eq!(first.rows.borrow()[stage] + second.rows.borrow()[stage], 240);
        }
        assert_eq!((setup.parts(Stage::Nucleotide), setup.parts(Stage::Protein)), (0, 0));
    }
}

/// A slice that takes too long is given up, and the rows before it are saved.
#[test]
fn a_slow_slice_is_given_up_and_the_rows_before_it_are_saved() {
    let setup = Setup::new();
    let text = std::fs::read_to_string(setup.path("in.fa")).unwrap();
    let later = text.lines().filter(|line| !line.starts_with('>')).nth(30).unwrap().to_owned();
    let first = Counter::default();
    let stop = StopFlag::default();
    let fault = Fault::TakesHours(later.leak(), stop.clone());
    let large =
        RunOptions { checkpoint_rows: NonZeroU64::new(1000).unwrap(), ..setup.options(Start::New) };
    let outcome = setup.run_on(vec![model_on("slow", fault)], large, &first, &stop);
    assert_eq!(outcome.unwrap_err().interrupted().unwrap().signal, 15);
    assert!(!stop.has_unsaved());
    assert_eq!(first.rows, first.saved, "computed and not saved");
    let saved = first.saved.borrow()[Stage::Nucleotide as usize];
    assert!((1..240).contains(&saved), "{saved} rows");
    let second = Counter::default();
    let options = options(&setup, Start::Resume);
    finished(setup.run_on(sound(1), options, &second, &StopFlag::default()));
    assert_eq!(second.rows.borrow()[Stage::Nucleotide as usize], 240 - saved);
}

#[test]
fn windows_of_one_old_part_go_to_several_devices() {
    let setup = Setup::new();
    let first = Counter { stop_after: Some((Stage::Protein, 100)), ..Counter::default() };
    let stop = first.stop.clone();
    let large =
        RunOptions { checkpoint_rows: NonZeroU64::new(1000).unwrap(), ..setup.options(Start::New) };
    setup.run_on(sound(1), large, &first, &stop).unwrap_err();
    assert_eq!((setup.parts(Stage::Nucleotide), setup.parts(Stage::Protein)), (1, 1));
    let second = Counter::default();
    let options = options(&setup, Start::Resume);
    finished(setup.run_on(sound(3), options, &second, &StopFlag::default()));
    assert_eq!(second.rows.borrow()[0], 0);
    assert_eq!(second.rows.borrow()[1], 240 - first.rows.borrow()[1]);
    assert_eq!((setup.parts(Stage::Nucleotide), setup.parts(Stage::Protein)), (0, 0));
}

#[test]
fn bad_parts_that_several_devices_meet_are_set_aside_or_named() {
    let setup = Setup::new();
    let kept = RunOptions { keep_embeddings: true, ..options(&setup, Start::New) };
    finished(setup.run_on(sound(1), kept, &Silent, &StopFlag::default()));
    let expected = files(&setup);
    let parts = ["rows-000000000010-000000000020.vnp", "rows-000000000020-000000000030.vnp"];
    for part in parts {
        setup.damage(Stage::Nucleotide, part);
    }
    std::fs::remove_dir_all(setup.path("out/checkpoints/scores")).unwrap();
    let again = |on_bad_part| RunOptions {
        on_bad_part,
        trust: Trust::Cheap,
        ..options(&setup, Start::Resume)
    };
    let stop = StopFlag::default();
    let outcome = setup.run_on(sound(3), again(OnBadFile::Refuse), &Silent, &stop);
    let Err(Error::Job(vnp_job::Error::BadParts { files: named })) = outcome else {
        panic!("{outcome:?}")
    };
    let name = named[0].path.file_name().unwrap().to_string_lossy().into_owned();
    assert!(named.len() == 1 && parts.contains(&name.as_str()), "{named:?}");
    let counter = Counter::default();
    finished(setup.run_on(sound(3), again(OnBadFile::Recompute), &counter, &stop));
    assert_eq!(counter.rows.borrow()[0], 20, "exactly the rows of the bad parts");
    let mut found = files(&setup);
    for part in parts {
        assert!(found.remove(&format!("nucleotide/{part}.bad")).is_some(), "{part}");
    }
    assert!(found == expected);
}

#[test]
fn a_run_without_a_device_is_an_error() {
    let setup = Setup::new();
    let options = options(&setup, Start::New);
    let outcome = setup.run_on(Vec::new(), options, &Silent, &StopFlag::default());
    let Err(Error::NoDevice) = outcome else { panic!("{outcome:?}") };
    assert!(!setup.path("out").exists());
}

/// Panics at the first row that is computed.
struct Panicking;

impl Observer for Panicking {
    fn event(&self, event: Event<'_>) {
        assert!(!matches!(event, Event::Computed { .. }), "the observer panics");
    }
}

#[test]
fn a_panic_ends_the_run_and_leaves_nobody_waiting() {
    let setup = Setup::new();
    let run = |models: Vec<Model>, observer: &dyn Observer| {
        let options = options(&setup, Start::Again);
        let run = || setup.run_on(models, options, observer, &StopFlag::default());
        catch_unwind(AssertUnwindSafe(run)).is_err()
    };
    assert!(run(sound(2), &Panicking));
    assert!(run(vec![model_on("bad", Fault::Panics)], &Silent));
    assert!(!run(sound(2), &Silent), "a run after them");
}
