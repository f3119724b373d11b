//! Sessions, devices and damage.

use std::num::NonZeroU64;

use vnp_infer::Model;
use vnp_pipeline::{Error, ModelInfo, OnBadFile, RunOptions, Stage, Start, StopFlag, Trust};

use super::{CLOSED, FRAMES, options, run, setup, tables};
use crate::support::{Counter, Fault, Observer, Silent, finished, info, model, model_on, predict};

#[test]
fn it_can_be_added_to_a_finished_run_and_left_out_again() {
    let setup = setup();
    run(&setup, Start::New, true, &Silent);
    let all = tables(&setup);
    run(&setup, Start::Again, false, &Silent);
    let plain = tables(&setup);
    assert!(setup.parts(Stage::NucleotideOnly) == 0, "--force left parts of an earlier run");
    // Only what is missing is computed.
    let counter = Counter::default();
    run(&setup, Start::Resume, true, &counter);
    assert_eq!(*counter.rows.borrow(), [0, 0, 0, CLOSED]);
    assert_eq!(tables(&setup), all);
    // What is not asked for is not published; the parts stay.
    let load = || panic!("the model was loaded although no row was missing");
    let resume = |score_all| {
        let options = options(&setup, Start::Resume, score_all);
        finished(predict(options, &info(), Box::new(load), &Silent, &StopFlag::default()))
    };
    assert!(!resume(false).already_finished);
    assert_eq!(tables(&setup), plain);
    assert!(resume(false).already_finished);
    assert!(setup.record()["identity"].get("fallback").is_none());
    assert!(!resume(true).already_finished);
    assert_eq!(tables(&setup), all);
    assert!(resume(true).already_finished);
}

#[test]
fn a_stop_saves_what_was_computed_and_nothing_is_computed_twice() {
    let setup = setup();
    run(&setup, Start::New, true, &Silent);
    let expected = tables(&setup);
    for (stage, after) in [
        (Stage::Scores, FRAMES),
        (Stage::NucleotideOnly, 1),
        (Stage::NucleotideOnly, 15),
        (Stage::NucleotideOnly, CLOSED),
    ] {
        let first = Counter { stop_after: Some((stage, after)), ..Counter::default() };
        let stop = first.stop.clone();
        let again = options(&setup, Start::Again, true);
        let outcome = setup.run_with(again, Fault::None, &first, &stop);
        assert_eq!(outcome.unwrap_err().interrupted().unwrap().signal, 15);
        assert_eq!(first.rows, first.saved, "computed and not saved");
        assert!(tables(&setup).is_empty(), "published before every row was scored");
        let second = Counter::default();
        run(&setup, Start::Resume, true, &second);
        for (stage, rows) in [FRAMES, FRAMES, FRAMES, CLOSED].into_iter().enumerate() {
            assert_eq!(first.rows.borrow()[stage] + second.rows.borrow()[stage], rows);
        }
        assert_eq!(tables(&setup), expected);
    }
}

#[test]
fn windows_devices_and_intervals_change_no_byte() {
    let setup = setup();
    run(&setup, Start::New, true, &Silent);
    let expected = tables(&setup);
    let check = |devices: usize, change: &dyn Fn(&mut RunOptions)| {
        let mut options = options(&setup, Start::Again, true);
        change(&mut options);
        let models: Vec<Model> =
            (0..devices).map(|number| model_on(&format!("test:{number}"), Fault::None)).collect();
        finished(setup.run_on(models, options, &Silent, &StopFlag::default()));
        assert_eq!(tables(&setup), expected);
    };
    check(1, &|options| options.checkpoint_rows = NonZeroU64::new(1).unwrap());
    check(1, &|options| options.checkpoint_rows = NonZeroU64::new(8192).unwrap());
    check(1, &|options| options.checkpoint_interval = std::time::Duration::ZERO);
    check(1, &|options| options.keep_embeddings = true);
    check(3, &|_| ());
    check(40, &|options| options.checkpoint_rows = NonZeroU64::new(3).unwrap());
}

#[test]
fn a_damaged_part_costs_its_own_rows_only() {
    let part = "rows-000000000010-000000000020.vnp";
    for trust in [Trust::Full, Trust::Cheap] {
        let setup = setup();
        run(&setup, Start::New, true, &Silent);
        let expected = tables(&setup);
        setup.damage(Stage::NucleotideOnly, part);
        let again = |on_bad_part, score_all, observer: &dyn Observer| {
            // Whatever was published before does not tell of the part.
            std::fs::remove_file(setup.path("out/run.json")).unwrap();
            let options =
                RunOptions { on_bad_part, trust, ..options(&setup, Start::Resume, score_all) };
            setup.run_with(options, Fault::None, observer, &StopFlag::default())
        };
        let outcome = again(OnBadFile::Refuse, true, &Silent);
        let Err(Error::Job(vnp_job::Error::BadParts { files: parts })) = outcome else {
            panic!("{outcome:?}")
        };
        assert!(parts.len() == 1 && parts[0].path.ends_with(format!("dna_only/{part}")));
        std::fs::write(setup.path("out/run.json"), "").unwrap();
        // Frames do not care.
        finished(again(OnBadFile::Refuse, false, &Silent));
        let counter = Counter::default();
        finished(again(OnBadFile::Recompute, true, &counter));
        assert_eq!(*counter.rows.borrow(), [0, 0, 0, 10]);
        assert_eq!(tables(&setup), expected);
        assert!(setup.path(&format!("out/checkpoints/dna_only/{part}.bad")).exists());
    }
}

#[test]
fn another_fallback_head_is_another_run() {
    let setup = setup();
    run(&setup, Start::New, true, &Silent);
    let other = ModelInfo { fallback: Some("other".into()), ..info() };
    let resume = |score_all| {
        let load = Box::new(|| Ok(vec![model(Fault::None)]));
        let options = options(&setup, Start::Resume, score_all);
        predict(options, &other, load, &Silent, &StopFlag::default())
    };
    let Err(Error::Job(vnp_job::Error::OtherIdentity { differences, .. })) = resume(true) else {
        panic!("taken")
    };
    let fields: Vec<_> = differences.iter().map(ToString::to_string).collect();
    assert_eq!(fields, ["fallback was f, is now other"]);
    // The frames are none of its business.
    finished(resume(false));
}
