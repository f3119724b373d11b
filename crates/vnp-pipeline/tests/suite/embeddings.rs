//! Runs whose goal is embeddings, for a reader such as a training.

use vnp_job::parts::StoredEmbeddings;
use vnp_pipeline::{Error, Goal, RunOptions, Stage, Start, StopFlag};

use crate::support::{Counter, Counting, Fault, Setup, Silent, finished, model};

fn options(setup: &Setup, start: Start) -> RunOptions {
    RunOptions { goal: Goal::Embeddings, ..setup.options(start) }
}

#[test]
fn embeddings_are_kept_and_nothing_is_scored() {
    let setup = Setup::new();
    let counter = Counter::default();
    let stop = StopFlag::default();
    let run = |start| setup.run_with(options(&setup, start), Fault::None, &counter, &stop);
    let summary = finished(run(Start::New));
    assert_eq!(*counter.rows.borrow(), [240, 240, 0, 0]);
    assert_eq!((summary.counts.rows, summary.counts.rows_failed), (240, 0));
    assert!(!setup.path("out/prediction_results.txt").exists());
    assert!(!setup.path("out/checkpoints/scores").exists());
    assert_eq!(setup.record()["devices"].as_object().unwrap().len(), 1);

    let stored = StoredEmbeddings::read(&setup.path("out")).unwrap();
    assert_eq!((stored.ids.len(), stored.failed.len()), (240, 240));
    assert_eq!((stored.nucleotide_size, stored.protein_size), (3, 3));
    assert_eq!(stored.features.len(), 240 * 6);
    let encoders = stored.encoders.unwrap();
    assert_eq!((encoders.dnabert.as_str(), encoders.esm2.as_str()), ("d", "e"));
    assert_eq!(encoders.chunk_length, 500);

    assert!(finished(run(Start::Resume)).already_finished);
    assert_eq!(*counter.rows.borrow(), [240, 240, 0, 0]);
}

#[test]
fn a_stopped_run_is_continued_and_a_failed_row_is_counted() {
    let setup = Setup::new();
    let first = Counter { stop_after: Some((Stage::Protein, 50)), ..Counter::default() };
    let stop = first.stop.clone();
    let faulty = || Fault::NotFinite("CGCCGGCG");
    let stopped = setup.run_with(options(&setup, Start::New), faulty(), &first, &stop);
    assert_eq!(stopped.unwrap_err().interrupted().unwrap().signal, 15);
    let before = StoredEmbeddings::read(&setup.path("out")).unwrap_err();
    assert!(before.to_string().contains("no run.json"), "{before}");
    let go_on = options(&setup, Start::Resume);
    let summary = finished(setup.run_with(go_on, faulty(), &Silent, &StopFlag::default()));
    let stored = StoredEmbeddings::read(&setup.path("out")).unwrap();
    let failed = stored.failed.iter().filter(|failed| **failed).count() as u64;
    assert!((1..100).contains(&failed), "{failed}");
    assert_eq!(summary.counts.rows_failed, failed);
}

/// A directory of embeddings becomes an ordinary run when scores are asked for, and the other way
/// round.
#[test]
fn one_goal_follows_the_other() {
    let setup = Setup::new();
    let stop = StopFlag::default();
    let embed = |start| setup.run_with(options(&setup, start), Fault::None, &Silent, &stop);
    finished(embed(Start::New));
    let counter = Counter::default();
    let scored = setup.run_with(setup.options(Start::Resume), Fault::None, &counter, &stop);
    assert!(!finished(scored).already_finished);
    assert_eq!(*counter.rows.borrow(), [0, 0, 240, 0]);
    assert_eq!(setup.table("prediction_results.txt").len(), 240);
    assert!(finished(embed(Start::Resume)).already_finished);

    let undisturbed = Setup::new();
    finished(undisturbed.run(Start::New, Fault::None));
    let table = "prediction_results.txt";
    assert_eq!(setup.table(table), undisturbed.table(table));
}

#[test]
fn an_input_that_changes_is_not_published() {
    let setup = Setup::new();
    let edits = |edit: fn(String) -> String| {
        Fault::Edits(std::sync::Mutex::new(Some(setup.path("in.fa"))), edit)
    };
    // The same number of rows, of other sequences.
    let fault = edits(|text| text.replace("CGC", "GGC"));
    let options = options(&setup, Start::New);
    let outcome = setup.run_with(options, fault, &Silent, &StopFlag::default());
    let Err(Error::InputChanged { .. }) = outcome else { panic!("{outcome:?}") };
    assert!(!setup.path("out/run.json").exists());
}

#[test]
fn a_row_fails_if_either_encoder_does() {
    let setup = Setup::new();
    let run = |nucleotide, protein| {
        let mut model = model(nucleotide);
        model.protein = Box::new(Counting { fault: protein });
        let options = options(&setup, Start::Again);
        let stop = StopFlag::default();
        finished(setup.run_on(vec![model], options, &Silent, &stop)).counts.rows_failed
    };
    let (of_dna, of_protein) = (|| Fault::NotFinite("CGCCGGCG"), || Fault::NotFinite("PGP"));
    let (nucleotide, protein) = (run(of_dna(), Fault::None), run(Fault::None, of_protein()));
    assert!(nucleotide > 0 && protein > 0, "{nucleotide}, {protein}");
    let both = run(of_dna(), of_protein());
    assert!(both > nucleotide.max(protein) && both <= nucleotide + protein, "{both}");
    let stored = StoredEmbeddings::read(&setup.path("out")).unwrap();
    let failed = stored.failed.iter().filter(|failed| **failed).count() as u64;
    assert_eq!(failed, both);
}

/// Asking a scored run for its embeddings keeps what it published.
#[test]
fn tables_of_an_earlier_session_stay_vouched_for() {
    let setup = Setup::new();
    let scored = finished(setup.run(Start::New, Fault::None)).counts;
    let resume = options(&setup, Start::Resume);
    let run = setup.run_with(resume, Fault::None, &Silent, &StopFlag::default());
    assert_eq!(finished(run).counts, scored);
    assert_eq!(setup.record()["results"].as_object().unwrap().len(), 4);
    assert!(finished(setup.run(Start::Resume, Fault::None)).already_finished);
}
