//! The training loop on a line through noisy points.

use std::cell::{Cell, RefCell};
use std::time::Duration;

use candle_core::{Device, Tensor};
use fs_err as fs;
use vnp_job::{Interrupted, OnBadFile, StopFlag};

use super::*;
use crate::identity::Identity;
use crate::learn::optimizer::Optimizer;
use crate::learn::parameters::Parameters;
use crate::learn::schedule::Course;
use crate::rng::Rng;
use crate::testing::{directory, stopped_after};

/// A line through noisy points, a new batch every step; a buffer follows what was seen.
pub(crate) struct Line {
    parameters: Parameters,
    /// What validation says of every epoch; by default what the points say.
    pub(crate) losses: Vec<f64>,
    validated: Cell<usize>,
}

impl Line {
    pub(crate) fn new() -> Self {
        let mut parameters = Parameters::new(Device::Cpu);
        parameters.insert("slope", &[1, 1], &[0.0]).unwrap();
        parameters.insert("offset", &[1], &[0.0]).unwrap();
        parameters.insert_buffer("seen", &[1], &[0.0]).unwrap();
        Self { parameters, losses: Vec::new(), validated: Cell::new(0) }
    }

    fn value(&self, name: &str) -> f32 {
        host_value(&self.parameters.snapshot().unwrap(), name)
    }
}

pub(crate) fn host_value(snapshot: &Snapshot, name: &str) -> f32 {
    snapshot.get(name).unwrap().1[0]
}

impl Learner for Line {
    fn parameters(&self) -> &Parameters {
        &self.parameters
    }

    fn parameters_mut(&mut self) -> &mut Parameters {
        &mut self.parameters
    }

    fn steps(&self, _epoch: usize) -> usize {
        3
    }

    fn loss(&mut self, epoch: usize, step: usize) -> Result<Tensor, Error> {
        let mut rng = Rng::new(1, &format!("{epoch} {step}"));
        let x: Vec<f32> = (0..8).map(|_| rng.normal()).collect();
        let y: Vec<f32> = x.iter().map(|x| 2.0 * x + 1.0 + 0.1 * rng.normal()).collect();
        let of = |values: &[f32]| Tensor::from_slice(values, (8, 1), &Device::Cpu);
        let seen = (self.parameters.buffer("seen")? * 0.9)?;
        let seen = (seen + (of(&x)?.mean_all()?.unsqueeze(0)? * 0.1)?)?;
        self.parameters.set_buffer("seen", &seen)?;
        let line = of(&x)?.matmul(self.parameters.get("slope")?)?;
        let line = line.broadcast_add(self.parameters.get("offset")?)?.broadcast_add(&seen)?;
        Ok((line - of(&y)?)?.sqr()?.mean_all()?)
    }

    fn validate(&self) -> Result<f64, Error> {
        let epoch = self.validated.replace(self.validated.get() + 1);
        let exact =
            f64::from((self.value("slope") - 2.0).abs() + (self.value("offset") - 1.0).abs());
        Ok(self.losses.get(epoch).copied().unwrap_or(exact))
    }
}

pub(crate) fn schedule() -> Schedule {
    Schedule {
        optimizer: Optimizer::adam_w(0.01),
        rate: 0.2,
        course: Course::Cosine { warm_up: 1.0, floor: 0.1 },
        epochs: 4,
        patience: 4,
        clip: Some(1.0),
        average: Some(0.9),
    }
}

/// A training in a directory of its own.
pub(crate) struct Place {
    pub(crate) directory: tempfile::TempDir,
    pub(crate) identity: Identity,
}

impl Place {
    pub(crate) fn new() -> Self {
        let identity = Identity::default().with("data", "aa").with("seed", 1);
        Self { directory: tempfile::tempdir().unwrap(), identity }
    }

    pub(crate) fn state(&self) -> std::path::PathBuf {
        self.directory.path().join("checkpoints/training.vnp")
    }

    /// Fits, asked to stop before step `stop` counted from where it starts.
    pub(crate) fn fit(
        &self,
        learner: &mut dyn Learner,
        schedule: &Schedule,
        on_bad_state: OnBadFile,
        stop: usize,
    ) -> Result<Fitted, Error> {
        let hour = Duration::from_secs(3600);
        stopped_after(stop, |observer, stop| {
            self.fit_with(learner, schedule, on_bad_state, stop, hour, observer)
        })
    }

    pub(crate) fn fit_with(
        &self,
        learner: &mut dyn Learner,
        schedule: &Schedule,
        on_bad_state: OnBadFile,
        stop: &StopFlag,
        checkpoint_interval: Duration,
        observer: &dyn Fn(Event<'_>),
    ) -> Result<Fitted, Error> {
        let session = Session {
            directory: &directory(self.directory.path()),
            identity: &self.identity,
            on_bad_state,
            observer,
            stop,
            checkpoint_interval,
        };
        fit(learner, schedule, &session)
    }
}

pub(crate) const NEVER: usize = usize::MAX;
pub(crate) const REFUSE: OnBadFile = OnBadFile::Refuse;

/// Whether a training was asked to stop, by [`stopped_after`].
pub(crate) fn is_interrupted<T>(outcome: &Result<T, Error>) -> bool {
    matches!(outcome, Err(Error::Interrupted(Interrupted { signal: 15 })))
}

fn undisturbed() -> Fitted {
    Place::new().fit(&mut Line::new(), &schedule(), REFUSE, NEVER).unwrap()
}

#[test]
fn a_line_is_found_and_the_learner_left_with_the_best() {
    let mut line = Line::new();
    let fitted = Place::new().fit(&mut line, &schedule(), REFUSE, NEVER).unwrap();
    assert_eq!(fitted.history.len(), 4);
    assert!(fitted.history[3].validation_loss < 1.5, "{:?}", fitted.history);
    assert_eq!(line.parameters.snapshot().unwrap(), fitted.best);
}

#[test]
fn a_training_stopped_at_any_step_comes_to_the_same_bits() {
    let expected = undisturbed();
    for stop in 0..12 {
        let place = Place::new();
        let stopped = place.fit(&mut Line::new(), &schedule(), REFUSE, stop);
        assert!(is_interrupted(&stopped), "{stop}: {stopped:?}");
        let resumed = place.fit(&mut Line::new(), &schedule(), REFUSE, NEVER);
        assert_eq!(resumed.unwrap(), expected, "{stop}");
    }
}

#[test]
fn a_training_stopped_at_every_step_comes_to_the_same_bits() {
    let place = Place::new();
    for _ in 0..12 {
        let stopped = place.fit(&mut Line::new(), &schedule(), REFUSE, 1);
        assert!(stopped.is_ok() || is_interrupted(&stopped));
    }
    let fitted = place.fit(&mut Line::new(), &schedule(), REFUSE, NEVER).unwrap();
    assert_eq!(fitted, undisturbed());
}

#[test]
fn a_training_killed_after_any_save_comes_to_the_same_bits() {
    let place = Place::new();
    let copies: RefCell<Vec<Vec<u8>>> = RefCell::default();
    let copy = |event: Event<'_>| {
        if let Event::Saved(path) = event {
            assert_eq!(path, place.state());
            copies.borrow_mut().push(fs::read(path).unwrap());
        }
    };
    let (line, schedule, stop) = (&mut Line::new(), schedule(), StopFlag::default());
    let fit = place.fit_with(line, &schedule, REFUSE, &stop, Duration::ZERO, &copy);
    let expected = fit.unwrap();
    let copies = copies.into_inner();
    // After every step, and after every epoch.
    assert_eq!(copies.len(), 16);
    for (save, state) in copies.iter().enumerate() {
        fs::write(place.state(), state).unwrap();
        let resumed = place.fit(&mut Line::new(), &schedule, REFUSE, NEVER);
        assert_eq!(resumed.unwrap(), expected, "{save}");
    }
}

#[test]
fn a_save_on_request_saves_between_two_steps_and_changes_nothing() {
    let expected = Place::new().fit(&mut Line::new(), &schedule(), REFUSE, NEVER).unwrap();
    let (place, saves, stop) = (Place::new(), Cell::new(0), StopFlag::default());
    let ask = |event: Event<'_>| match event {
        Event::Step { epoch: 1, done: 1, .. } => stop.request_save(),
        Event::Saved(_) => saves.set(saves.get() + 1),
        _ => {}
    };
    let (line, hour) = (&mut Line::new(), Duration::from_secs(3600));
    let fitted = place.fit_with(line, &schedule(), REFUSE, &stop, hour, &ask).unwrap();
    assert_eq!(fitted, expected);
    // After each epoch, and once more.
    assert_eq!(saves.get(), fitted.history.len() + 1);
}

#[test]
fn the_best_weights_are_a_copy_and_patience_ends_it() {
    let mut line = Line::new();
    line.losses = vec![3.0, 1.0, 2.0, 1.0, 5.0, 0.5];
    let schedule = Schedule { epochs: 9, patience: 3, average: None, ..schedule() };
    let copies: RefCell<Vec<Epoch>> = RefCell::default();
    let copy = |event: Event<'_>| {
        if let Event::Epoch(epoch) = event {
            copies.borrow_mut().push(*epoch);
        }
    };
    let (hour, stop) = (Duration::from_secs(3600), StopFlag::default());
    let fitted = Place::new().fit_with(&mut line, &schedule, REFUSE, &stop, hour, &copy).unwrap();
    // An equal loss is not an improvement; fitting stops three epochs after the best.
    assert_eq!((fitted.best_epoch, fitted.history.len()), (1, 5));
    assert_eq!(*copies.borrow(), fitted.history);
    let best: Vec<bool> = fitted.history.iter().map(|epoch| epoch.is_best).collect();
    assert_eq!(best, [true, true, false, false, false]);
    // What two epochs alone give.
    let mut line = Line::new();
    line.losses = vec![3.0, 1.0];
    let two = Schedule { epochs: 9, ..schedule };
    let stopped = Place::new().fit(&mut line, &two, REFUSE, 6);
    assert!(is_interrupted(&stopped));
    assert_eq!(line.parameters.snapshot().unwrap(), fitted.best);
}

#[test]
fn a_finished_training_is_not_continued() {
    let place = Place::new();
    let fitted = place.fit(&mut Line::new(), &schedule(), REFUSE, NEVER).unwrap();
    let saved = fs::read(place.state()).unwrap();
    let again = place.fit(&mut Line::new(), &schedule(), REFUSE, 0);
    assert_eq!(again.unwrap(), fitted);
    assert_eq!(fs::read(place.state()).unwrap(), saved);
}

#[test]
fn the_average_is_what_is_validated_and_what_results() {
    let plain = Schedule { average: None, ..schedule() };
    let plain = Place::new().fit(&mut Line::new(), &plain, REFUSE, NEVER).unwrap();
    let average = undisturbed();
    assert_ne!(average.best, plain.best);
    let losses =
        |fitted: &Fitted| fitted.history.iter().map(|e| e.training_loss).collect::<Vec<_>>();
    // The average is validated and does not influence the steps.
    assert_eq!(losses(&average), losses(&plain));
    let distance = |name, goal: f32| f64::from((host_value(&average.best, name) - goal).abs());
    let last = &average.history[average.best_epoch];
    let expected = distance("slope", 2.0) + distance("offset", 1.0);
    assert!((last.validation_loss - expected).abs() < 1e-6);
}

#[test]
fn a_loss_that_is_not_finite_ends_it() {
    let mut line = Line::new();
    line.losses = vec![1.0, f64::NAN];
    let fitted = Place::new().fit(&mut line, &schedule(), REFUSE, NEVER);
    let Err(Error::Diverged { epoch: 2, step: 0, loss }) = fitted else { panic!("{fitted:?}") };
    assert!(loss.is_nan());
    let wild = Schedule {
        optimizer: Optimizer::Sgd { momentum: 0.0, decay: 0.0 },
        rate: 1e30,
        clip: None,
        ..schedule()
    };
    let fitted = Place::new().fit(&mut Line::new(), &wild, REFUSE, NEVER);
    let Err(Error::Diverged { epoch: 1, step, .. }) = fitted else { panic!("{fitted:?}") };
    assert!(step > 1);
}
