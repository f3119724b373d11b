use std::cell::RefCell;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use vnp_train::{Epoch, Event, Observer};

use super::INTERVAL;
use crate::logging::Console;
use crate::output::grouped;

/// Tells a training's progress on standard error: a bar for the steps of an epoch on a terminal, and
/// a line for every epoch.
pub(crate) struct TrainingProgress<'a> {
    console: &'a Console,
    state: RefCell<State>,
}

struct State {
    bar: Option<ProgressBar>,
    epochs: usize,
    last_told: Instant,
}

impl<'a> TrainingProgress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let state = State { bar: None, epochs: 0, last_told: Instant::now() };
        Self { console, state: RefCell::new(state) }
    }
}

impl Observer for TrainingProgress<'_> {
    fn event(&self, event: Event<'_>) {
        let mut state = self.state.borrow_mut();
        match event {
            Event::Started { parameters, epochs, epoch, step } => {
                state.epochs = epochs;
                let parameters = grouped(parameters as u64);
                match (epoch, step) {
                    (0, 0) => log::info!("learning {parameters} values in at most {epochs} epochs"),
                    _ => log::info!(
                        "learning {parameters} values goes on in epoch {}, after {step} steps",
                        epoch + 1
                    ),
                }
            }
            Event::Step { epoch, done, steps, loss } => {
                state.step(self.console, epoch, done, steps, loss);
            }
            Event::Epoch(epoch) => state.epoch(epoch),
            Event::Saved(path) => log::debug!("saved {}", path.display()),
            Event::Quarantined(path) => {
                log::warn!("a damaged state was set aside as {}", path.display());
            }
            _ => {}
        }
    }
}

impl Drop for TrainingProgress<'_> {
    fn drop(&mut self) {
        if let Some(bar) = self.state.borrow_mut().bar.take() {
            bar.finish_and_clear();
        }
    }
}

impl State {
    fn step(&mut self, console: &Console, epoch: usize, done: usize, steps: usize, loss: f64) {
        if console.interactive {
            let bar = self.bar.get_or_insert_with(|| {
                let bar = console.bars().add(ProgressBar::new(steps as u64));
                let style = "{elapsed_precise} [{bar:40}] {msg}";
                if let Ok(style) = ProgressStyle::with_template(style) {
                    bar.set_style(style.progress_chars("=> "));
                }
                bar
            });
            bar.set_length(steps as u64);
            bar.set_position(done as u64);
            bar.set_message(format!("epoch {}, step {done} of {steps}, loss {loss:.4}", epoch + 1));
        } else if console.wants_progress && self.last_told.elapsed() >= INTERVAL {
            self.last_told = Instant::now();
            log::info!(
                "epoch {}: {} of {} steps",
                epoch + 1,
                grouped(done as u64),
                grouped(steps as u64)
            );
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        self.last_told = Instant::now();
        log::info!(
            "epoch {} of at most {}: loss {:.4}, validation {:.4}{}",
            epoch.epoch + 1,
            self.epochs,
            epoch.training_loss,
            epoch.validation_loss,
            if epoch.is_best { ", the best so far" } else { "" }
        );
    }
}
