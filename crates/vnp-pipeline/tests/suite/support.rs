//! Runs with encoders that cost nothing.

use std::cell::RefCell;
use std::num::{NonZeroU64, NonZeroUsize};
use std::path::PathBuf;
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use vnp_infer::{Cost, Encoder, FallbackHead, Head, Interrupt, Model, Tensors};
use vnp_pipeline::{
    EncoderDigests, Error, Event, Input, LoadModel, ModelInfo, RunOptions, Stage, Start, StopFlag,
    Summary,
};
use vnp_seq::ChunkLength;

/// Counts letters: a function of the sequence alone, as an encoder must be.
pub(crate) struct Counting {
    pub(crate) fault: Fault,
}

/// How an encoder misbehaves.
pub(crate) enum Fault {
    None,
    /// Gives values that are not finite to sequences with this text.
    NotFinite(&'static str),
    /// Gives a value too few.
    Short,
    /// Fails on sequences with this text.
    Fails(&'static str),
    /// Edits the input once while it computes.
    Edits(Mutex<Option<PathBuf>>, fn(String) -> String),
    /// Does not go on before the others have begun this many rows.
    Waits(Arc<Race>, u64),
    /// Does not begin before one waits.
    Follows(Arc<Race>),
    /// Fails when the others have begun this many rows.
    FailsAfter(Arc<Race>, u64),
    /// Takes hours for sequences with this text; asks for a stop when it begins, and gives up then.
    TakesHours(&'static str, StopFlag),
    /// Panics.
    Panics,
}

/// Brings devices into an order that does not depend on the machine.
#[derive(Default)]
pub(crate) struct Race {
    state: Mutex<RaceState>,
    changed: Condvar,
}

#[derive(Default)]
struct RaceState {
    begun: bool,
    rows: u64,
}

impl Race {
    fn change(&self, change: impl FnOnce(&mut RaceState)) {
        change(&mut self.state.lock().unwrap());
        self.changed.notify_all();
    }

    fn wait(&self, until: impl Fn(&RaceState) -> bool) {
        let state = self.state.lock().unwrap();
        let patience = Duration::from_secs(120);
        let waits = |state: &mut RaceState| !until(state);
        let state = self.changed.wait_timeout_while(state, patience, waits).unwrap();
        assert!(!state.1.timed_out(), "the others do not come");
    }
}

impl Encoder for Counting {
    fn name(&self) -> &str {
        "counting"
    }

    fn hidden_size(&self) -> usize {
        3
    }

    fn embed(&self, sequences: &[&str]) -> Result<Vec<f32>, vnp_infer::Error> {
        match &self.fault {
            Fault::Waits(race, rows) => {
                race.change(|state| state.begun = true);
                race.wait(|state| state.rows >= *rows);
            }
            Fault::Follows(race) => {
                race.wait(|state| state.begun);
                race.change(|state| state.rows += sequences.len() as u64);
            }
            Fault::FailsAfter(race, rows) => {
                race.change(|state| state.begun = true);
                race.wait(|state| state.rows >= *rows);
                return Err(vnp_infer::Error::RowCount { nucleotide: 1, protein: 2 });
            }
            Fault::Panics => panic!("the encoder panics"),
            _ => {}
        }
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

    fn embed_unless(
        &self,
        sequences: &[&str],
        is_interrupted: &Interrupt<'_>,
    ) -> Result<Vec<f32>, vnp_infer::Error> {
        if let Fault::TakesHours(text, stop) = &self.fault
            && sequences.iter().any(|sequence| sequence.contains(text))
        {
            stop.request(15);
            assert!(is_interrupted(), "it was not asked to");
            return Err(vnp_infer::Error::Interrupted);
        }
        self.embed(sequences)
    }

    /// One token per letter and two for the frame, 1,000 operations each.
    fn cost(&self, sequences: &[&str]) -> Result<Cost, vnp_infer::Error> {
        let tokens = sequences.iter().map(|sequence| sequence.len() as u64 + 2).sum();
        Ok(Cost { tokens, flops: 1000.0 * tokens as f64 })
    }
}

pub(crate) fn model(fault: Fault) -> Model {
    model_on("test", fault)
}

/// A model on a device of this name.
pub(crate) fn model_on(device: &str, fault: Fault) -> Model {
    let head = Head::new(head(6, 0.1), 3, 3).unwrap();
    let protein = Box::new(Counting { fault: Fault::None });
    let mut model = Model::from_parts(Box::new(Counting { fault }), protein, head, device);
    // It calls long sequences other than viral.
    model.fallback = Some(FallbackHead::new(self::head(3, -0.25), 3).unwrap());
    model
}

/// A head of this many features, with this much for others and against viruses.
fn head(features: usize, bias: f32) -> Tensors {
    let mut tensors = Tensors::default();
    let weights: Vec<f32> = (0..4 * features).map(|i| (i % 5) as f32 - 2.0).collect();
    tensors.insert_f32("hidden_layer.weight", &[4, features], &weights);
    tensors.insert_f32("hidden_layer.bias", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.weight", &[4], &[0.01; 4]);
    tensors.insert_f32("bn1.bias", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.running_mean", &[4], &[0.0; 4]);
    tensors.insert_f32("bn1.running_var", &[4], &[1.0; 4]);
    tensors.insert_f32("output_layer.weight", &[2, 4], &[1.0, -1.0, 0.5, 0.0, -1.0, 1.0, 0.0, 0.5]);
    tensors.insert_f32("output_layer.bias", &[2], &[bias, -bias]);
    tensors
}

pub(crate) struct Setup {
    pub(crate) dir: tempfile::TempDir,
}

impl Setup {
    /// 40 records with six ORFs each.
    pub(crate) fn new() -> Self {
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

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn options(&self, start: Start) -> RunOptions {
        let inputs = vec![Input::File(self.path("in.fa"))];
        RunOptions {
            start,
            checkpoint_rows: NonZeroU64::new(100).unwrap(),
            checkpoint_interval: Duration::from_secs(600),
            score_batch_rows: NonZeroUsize::new(7).unwrap(),
            ..RunOptions::new(inputs, self.path("out"), ChunkLength::new(500).unwrap())
        }
    }

    pub(crate) fn run(&self, start: Start, fault: Fault) -> Result<Summary, Error> {
        self.run_with(self.options(start), fault, &Silent, &StopFlag::default())
    }

    pub(crate) fn run_with(
        &self,
        options: RunOptions,
        fault: Fault,
        observer: &dyn Observer,
        stop: &StopFlag,
    ) -> Result<Summary, Error> {
        self.run_on(vec![model(fault)], options, observer, stop)
    }

    /// A run on several devices.
    pub(crate) fn run_on(
        &self,
        models: Vec<Model>,
        options: RunOptions,
        observer: &dyn Observer,
        stop: &StopFlag,
    ) -> Result<Summary, Error> {
        predict(options, &info(), Box::new(|| Ok(models)), observer, stop)
    }

    /// What `run.json` says.
    pub(crate) fn record(&self) -> serde_json::Value {
        serde_json::from_slice(&std::fs::read(self.path("out/run.json")).unwrap()).unwrap()
    }

    pub(crate) fn table(&self, name: &str) -> Vec<String> {
        let text = std::fs::read_to_string(self.path("out").join(name)).unwrap();
        text.lines().skip(1).map(str::to_owned).collect()
    }

    /// Damage behind the header: the cheap checks do not see it.
    pub(crate) fn damage(&self, stage: Stage, part: &str) {
        let path = self.path("out/checkpoints").join(stage.name()).join(part);
        let mut bytes = std::fs::read(&path).unwrap();
        let last = bytes.len() - 70;
        bytes[last] ^= 0x10;
        std::fs::write(path, bytes).unwrap();
    }

    pub(crate) fn parts(&self, stage: Stage) -> usize {
        let dir = self.path("out/checkpoints").join(stage.name());
        std::fs::read_dir(dir).unwrap().count()
    }
}

/// Receives the events of a run.
pub(crate) trait Observer {
    fn event(&self, event: Event<'_>);
}

/// Ignores every event.
pub(crate) struct Silent;

impl Observer for Silent {
    fn event(&self, _event: Event<'_>) {}
}

/// A run that is reported to an observer.
pub(crate) fn predict(
    options: RunOptions,
    info: &ModelInfo,
    load: Box<LoadModel<'_>>,
    observer: &dyn Observer,
    stop: &StopFlag,
) -> Result<Summary, Error> {
    vnp_pipeline::predict(options, info, load, &|event| observer.event(event), stop)
}

pub(crate) fn info() -> ModelInfo {
    ModelInfo {
        name: "counting".into(),
        description: "counts letters".into(),
        held_out: serde_json::Value::Null,
        encoders: Some(EncoderDigests { dnabert: "d".into(), esm2: "e".into() }),
        head: "h".into(),
        fallback: Some("f".into()),
        precision: "f32".into(),
        nucleotide_hidden: 3,
        protein_hidden: 3,
        warnings: Vec::new(),
    }
}

pub(crate) fn finished(outcome: Result<Summary, Error>) -> Summary {
    outcome.unwrap()
}

/// Rows computed per stage; asks for a stop after a number of events of one stage.
#[derive(Default)]
pub(crate) struct Counter {
    pub(crate) rows: RefCell<[u64; 4]>,
    pub(crate) saved: RefCell<[u64; 4]>,
    pub(crate) stop_after: Option<(Stage, u64)>,
    pub(crate) stop: StopFlag,
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
