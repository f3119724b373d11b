//! Runs with encoders that cost nothing, so that odd moments and odd models can be tried.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::cell::RefCell;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

use vnp_infer::{Encoder, Head, Model, Tensors};
use vnp_pipeline::{
    Error, Event, Input, ModelInfo, Observer, OnBadPart, Outcome, RunOptions, Silent, Stage, Start,
    StopFlag, Summary, Trust, predict,
};
use vnp_seq::ChunkLength;

/// Counts letters: a function of the sequence alone, as an encoder must be.
struct Counting {
    fault: Fault,
}

/// How an encoder misbehaves.
enum Fault {
    None,
    /// Gives values that are not finite to sequences with this text.
    NotFinite(&'static str),
    /// Gives a value too few.
    Short,
    /// Fails on sequences with this text.
    Fails(&'static str),
    /// Edits the input once while it computes.
    Edits(Mutex<Option<PathBuf>>, fn(String) -> String),
}

impl Encoder for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn hidden_size(&self) -> usize {
        3
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, vnp_infer::Error> {
        if let Fault::Edits(path, edit) = &self.fault
            && let Some(path) = path.lock().unwrap().take()
        {
            let text = std::fs::read_to_string(&path).unwrap();
            std::fs::write(&path, edit(text)).unwrap();
        }
        if let Fault::Fails(text) = self.fault
            && sequences.iter().any(|sequence| sequence.contains(text))
        {
            return Err(vnp_infer::Error::RowCount { nucleotide: 1, protein: 2 });
        }
        let mut values = Vec::new();
        for sequence in sequences {
            let bad = matches!(self.fault, Fault::NotFinite(text) if sequence.contains(text));
            let count = |letter: char| sequence.matches(letter).count() as f32;
            values.extend(match bad {
                true => [f32::NAN, 0.0, f32::INFINITY],
                false => [count('G'), count('C'), sequence.len() as f32],
            });
        }
        if matches!(self.fault, Fault::Short) {
            values.pop();
        }
        Ok(values)
    }
}

fn model(fault: Fault) -> Model {
    let mut tensors = Tensors::default();
    let weights: Vec<f32> = (0..24).map(|i| (i % 5) as f32 - 2.0).collect();
    tensors.insert_f32("hidden_layer.weight", &[4, 6], &weights);
    tensors.insert_f32("hidden_layer.bias", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.weight", &[4], &[0.01; 4]);
    tensors.insert_f32("bn1.bias", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.running_mean", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.running_var", &[4], &[1.0; 4]);
    tensors.insert_f32("output_layer.weight", &[2, 4], &[1.0, -1.0, 0.5, 0.0, -1.0, 1.0, 0.0, 0.5]);
    tensors.insert_f32("output_layer.bias", &[2], &[0.1, -0.1]);
    let head = Head::new(tensors, 3, 3).unwrap();
    let protein = Box::new(Counting { fault: Fault::None });
    Model::from_parts(Box::new(Counting { fault }), protein, head, "test")
}

struct Setup {
    dir: tempfile::TempDir,
}

impl Setup {
    /// 40 records with six open frames each.
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let letters = |i: usize| ["GCC", "GGC", "CGC", "CCG"][i % 4];
        let record = |i: usize| {
            let sequence: String = (0..7 + i % 9).map(|at| letters(i / (at + 1))).collect();
            format!(">r{i}\n{sequence}\n")
        };
        let fasta: String = (0..40).map(record).collect();
        std::fs::write(dir.path().join("in.fa"), fasta).unwrap();
        Self { dir }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn options(&self, start: Start) -> RunOptions {
        RunOptions {
            inputs: vec![Input::File(self.path("in.fa"))],
            output_dir: self.path("out"),
            chunk_length: ChunkLength::new(500).unwrap(),
            start,
            on_bad_part: OnBadPart::Refuse,
            trust: Trust::Full,
            resume_from: None,
            checkpoint_rows: NonZeroU64::new(100).unwrap(),
            checkpoint_interval: Duration::from_secs(600),
            score_batch_rows: NonZeroUsize::new(7).unwrap(),
            keep_embeddings: false,
            keep_frames: false,
            settings: serde_json::Map::new(),
        }
    }

    fn run(&self, start: Start, fault: Fault) -> Result<Outcome, Error> {
        self.run_with(self.options(start), fault, &Silent, &StopFlag::default())
    }

    fn run_with(
        &self,
        options: RunOptions,
        fault: Fault,
        observer: &dyn Observer,
        stop: &StopFlag,
    ) -> Result<Outcome, Error> {
        predict(options, &info(), Box::new(|| Ok(vec![model(fault)])), observer, stop)
    }

    fn table(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("out").join(name)).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    fn parts(&self, stage: Stage) -> usize {
        let dir = self.path("out/checkpoints").join(stage.name());
        std::fs::read_dir(dir).unwrap().count()
    }
}

fn info() -> ModelInfo {
    ModelInfo {
        name: "counting".into(),
        description: "counts letters".into(),
        held_out: serde_json::Value::Null,
        dnabert: "d".into(),
        esm2: "e".into(),
        head: "h".into(),
        precision: "f32".into(),
        has_encoders: true,
        nucleotide_hidden: 3,
        protein_hidden: 3,
    }
}

fn finished(outcome: Result<Outcome, Error>) -> Summary {
    let Outcome::Finished(summary) = outcome.unwrap() else { panic!("not finished") };
    summary
}

/// Rows computed per stage; asks for a stop after so many events of one stage.
#[derive(Default)]
struct Counter {
    rows: RefCell<[u64; 3]>,
    saved: RefCell<[u64; 3]>,
    stop_after: Option<(Stage, u64)>,
    stop: StopFlag,
}

impl Observer for Counter {
    fn event(&self, event: Event<'_>) {
        match event {
            Event::Computed { stage, rows } => {
                let computed = &mut self.rows.borrow_mut()[stage as usize];
                *computed += rows.end - rows.start;
                if self.stop_after.is_some_and(|(at, after)| at == stage && *computed >= after) {
                    self.stop.request(15);
                }
            }
            Event::Saved { stage, rows } => {
                self.saved.borrow_mut()[stage as usize] += rows.end - rows.start;
            }
            _ => {}
        }
    }
}

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
        assert_eq!(outcome.unwrap(), Outcome::Interrupted { signal: 15 });
        assert_eq!(first.rows, first.saved, "computed and not saved");
        assert!(!setup.path("out/prediction_results.txt").exists());
        let second = Counter::default();
        let options = setup.options(Start::Resume);
        let summary = finished(setup.run_with(options, Fault::None, &second, &StopFlag::default()));
        assert_eq!(summary.counts.rows, 240);
        for stage in Stage::ALL {
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
    setup.run_with(setup.options(Start::New), Fault::None, &first, &stop).unwrap();
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
        let options = RunOptions { on_bad_part: OnBadPart::Recompute, ..setup.options(Start::New) };
        let outcome = setup.run_with(options, fault, &Silent, &StopFlag::default());
        let Err(Error::InputChanged { .. }) = outcome else { panic!("{outcome:?}") };
        assert!(!setup.path("out/prediction_results.txt").exists());
        assert_eq!(setup.parts(Stage::Scores), 3, "a part was set aside");
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
    let Err(Error::OtherIdentity { differences, .. }) = run(&counter) else { panic!("taken") };
    let fields: Vec<_> = differences.iter().map(|difference| difference.field.as_str()).collect();
    assert_eq!(fields, ["head"]);
    std::fs::remove_file(setup.path("out/run.json")).unwrap();
    std::fs::remove_dir_all(setup.path("out/checkpoints/scores")).unwrap();
    finished(run(&counter));
    assert_eq!(*counter.rows.borrow(), [0, 0, 240]);
}
