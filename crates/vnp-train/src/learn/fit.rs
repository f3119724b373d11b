//! The training loop: steps, validation, early stopping, best weights, saves.

use std::time::Duration;

use vnp_job::{SaveClock, Unsaved};

use crate::error::Error;
use crate::event::Event;
use crate::learn::epoch::Epoch;
use crate::learn::gradients::Gradients;
use crate::learn::learner::Learner;
use crate::learn::memory::keep_freed_blocks;
use crate::learn::progress::Progress;
use crate::learn::schedule::Schedule;
use crate::learn::snapshot::Snapshot;
use crate::learn::{average, state};
use crate::session::Session;

/// The result of fitting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Fitted {
    /// A copy of all parameters and buffers after the best epoch.
    pub(crate) best: Snapshot,
    /// The same after the last epoch.
    pub(crate) last: Snapshot,
    pub(crate) best_epoch: usize,
    pub(crate) history: Vec<Epoch>,
}

/// Fits until the validation loss has not improved for `patience` epochs, or the epochs are over; the
/// learner is left with the best parameters.
///
/// The state is saved after every epoch, within one at the interval of the session, and when it is
/// asked to stop; from each of these states a later session arrives at the same bits. Its identity has
/// to name everything that the learner's losses and the schedule depend on.
///
/// # Errors
/// Those of the learner; [`Error::Diverged`] for a loss that is not finite; those of an existing
/// state; those of saving; [`Error::Interrupted`] once the state is saved.
pub(crate) fn fit(
    learner: &mut dyn Learner,
    schedule: &Schedule,
    session: &Session<'_>,
) -> Result<Fitted, Error> {
    schedule.check()?;
    keep_freed_blocks();
    let progress = match state::open(session, schedule, learner.parameters_mut())? {
        Some(progress) => progress,
        None => Progress::new(schedule, learner.parameters())?,
    };
    (session.observer)(Event::Started {
        parameters: learner.parameters().count(),
        epochs: schedule.epochs,
        epoch: progress.epoch(),
        step: progress.step,
    });
    let clock = SaveClock::new(session.checkpoint_interval, session.stop);
    Fit { learner, schedule, session, progress, clock, is_saved: false, unsaved: None }.run()
}

struct Fit<'a> {
    learner: &'a mut dyn Learner,
    schedule: &'a Schedule,
    session: &'a Session<'a>,
    progress: Progress,
    clock: SaveClock,
    /// Whether the file holds the current state.
    is_saved: bool,
    /// Steps that it does not hold.
    unsaved: Option<Unsaved>,
}

impl Fit<'_> {
    fn run(mut self) -> Result<Fitted, Error> {
        while !self.progress.is_finished(self.schedule) {
            let steps = self.learner.steps(self.progress.epoch()).max(1);
            while self.progress.step < steps {
                if let Err(interrupted) = self.session.stop.check() {
                    self.save()?;
                    return Err(interrupted.into());
                }
                self.step(steps)?;
                if self.clock.is_due(self.session.stop) {
                    self.save()?;
                }
            }
            self.save_before_validation()?;
            self.end_epoch(steps)?;
            self.save()?;
        }
        let Progress { history, best, average, .. } = self.progress;
        let last = match average {
            Some(average) => average,
            None => self.learner.parameters().snapshot()?,
        };
        let best_epoch = history.iter().rposition(|epoch| epoch.is_best);
        debug_assert!(best_epoch.is_some(), "the first epoch is the best so far");
        let best_epoch = best_epoch.unwrap_or(0);
        self.learner.parameters_mut().restore(&best)?;
        Ok(Fitted { best, last, best_epoch, history })
    }

    /// Validation looks at no flag, and may take longer than a stop leaves time for: the steps are saved
    /// before it, if they are worth it.
    fn save_before_validation(&mut self) -> Result<(), Error> {
        const WORTH_SAVING: Duration = Duration::from_secs(10);
        let stop = self.session.stop.check();
        if stop.is_err() || self.clock.elapsed() >= WORTH_SAVING {
            self.save()?;
        }
        Ok(stop?)
    }

    fn step(&mut self, steps: usize) -> Result<(), Error> {
        let (epoch, step) = (self.progress.epoch(), self.progress.step);
        let loss = self.learner.loss(epoch, step)?;
        let value = f64::from(loss.to_scalar::<f32>()?);
        if !value.is_finite() {
            return Err(Error::Diverged { epoch: epoch + 1, step: step + 1, loss: value });
        }
        let parameters = self.learner.parameters();
        let gradients = Gradients::of(&loss, parameters)?;
        let scale = gradients.clip_scale(self.schedule.clip)?;
        let rate = self.schedule.rate(epoch, step, steps);
        let Progress { optimizer, average, .. } = &mut self.progress;
        optimizer.step(&self.schedule.optimizer, parameters, &gradients, rate, scale)?;
        if let (Some(average), Some(decay)) = (average, self.schedule.average) {
            average::follow(average, parameters, decay, optimizer.steps)?;
        }
        self.progress.step += 1;
        self.progress.loss_sum += value;
        self.is_saved = false;
        self.unsaved.get_or_insert_with(|| self.session.stop.unsaved());
        let done = self.progress.step;
        (self.session.observer)(Event::Step { epoch, done, steps, loss: value });
        Ok(())
    }

    /// Validates, and keeps the parameters if they are the best so far.
    fn end_epoch(&mut self, steps: usize) -> Result<(), Error> {
        let epoch = self.progress.epoch();
        let (loss, values) = self.validate()?;
        if !loss.is_finite() {
            return Err(Error::Diverged { epoch: epoch + 1, step: 0, loss });
        }
        let is_best = self.progress.best_loss().is_none_or(|best| loss < best);
        if is_best {
            self.progress.best = values;
        }
        let end = Epoch {
            epoch,
            rate: self.schedule.rate(epoch, 0, steps),
            training_loss: self.progress.loss_sum / steps as f64,
            validation_loss: loss,
            is_best,
        };
        self.progress.history.push(end);
        self.progress.step = 0;
        self.progress.loss_sum = 0.0;
        self.is_saved = false;
        (self.session.observer)(Event::Epoch(&end));
        Ok(())
    }

    /// The validation loss of the parameters that would result now, with a copy of them.
    fn validate(&mut self) -> Result<(f64, Snapshot), Error> {
        let present = self.learner.parameters().snapshot()?;
        let Some(average) = &self.progress.average else {
            return Ok((self.learner.validate()?, present));
        };
        self.learner.parameters_mut().restore(average)?;
        let loss = self.learner.validate();
        self.learner.parameters_mut().restore(&present)?;
        Ok((loss?, average.clone()))
    }

    fn save(&mut self) -> Result<(), Error> {
        self.clock.begin(self.session.stop);
        if !self.is_saved {
            state::save(self.session, self.schedule, &self.progress, self.learner.parameters())?;
            self.is_saved = true;
        }
        self.unsaved = None;
        self.clock.saved();
        Ok(())
    }
}

#[cfg(test)]
pub(crate) mod tests;
