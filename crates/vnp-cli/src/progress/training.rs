//! A training's progress on standard error.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use vnp_escape::escaped_path;
use vnp_train::{Class, Epoch, Event, PreparationRecord, Split, SplitCounts};

use super::interval::INTERVAL;
use crate::logging::Console;
use crate::output::grouped;

/// Shows a training's progress: on a terminal a bar for the steps of an epoch, and a line for every
/// epoch.
pub(crate) struct TrainingProgress<'a> {
    console: &'a Console,
    state: RefCell<State>,
}

struct State {
    bar: Option<ProgressBar>,
    epochs: usize,
    last_logged: Instant,
}

impl<'a> TrainingProgress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let state = State { bar: None, epochs: 0, last_logged: Instant::now() };
        Self { console, state: RefCell::new(state) }
    }

    /// Shows an event.
    pub(crate) fn event(&self, event: Event<'_>) {
        let mut state = self.state.borrow_mut();
        match event {
            Event::Prepared(record) => prepared(record),
            Event::Embedding(class) => log::info!("embedding the chunks of the class {class}"),
            Event::Examples { splits, failed } => examples(&splits, failed),
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
            Event::Saved(path) => log::debug!("saved {}", escaped_path(path)),
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
        } else if console.wants_progress && self.last_logged.elapsed() >= INTERVAL {
            self.last_logged = Instant::now();
            log::info!(
                "epoch {}: {} of {} steps",
                epoch + 1,
                grouped(done as u64),
                grouped(steps as u64)
            );
        }
    }

    fn epoch(&mut self, epoch: &Epoch) {
        self.last_logged = Instant::now();
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

/// Logs which chunks are learned from, and how many are left out.
fn prepared(record: &PreparationRecord) {
    let count = |counts: &BTreeMap<String, usize>, name: &str| {
        grouped(counts.get(name).copied().unwrap_or_default() as u64)
    };
    let none = BTreeMap::new();
    for class in Class::ALL {
        let chosen = record.chosen.get(class.name()).unwrap_or(&none);
        let chunks = Split::ALL.map(|split| format!("{} {split}", count(chosen, split.name())));
        log::info!(
            "{class}: {} records in {} groups; chunks: {}",
            count(&record.records, class.name()),
            count(&record.groups, class.name()),
            chunks.join(", ")
        );
    }
    let tally = &record.tally;
    let left_out = [
        (tally.with_ambiguous_letters, "with ambiguous letters"),
        (tally.without_orf, "without an ORF"),
        (tally.without_coding_frame, "without a frame in a coding sequence"),
        (tally.sharing_kmers_with_a_later_split, "sharing 21 bases with a later split"),
    ];
    let left_out = left_out.into_iter().filter(|(count, _)| *count > 0);
    let left_out: Vec<String> =
        left_out.map(|(count, why)| format!("{} {why}", grouped(count as u64))).collect();
    if !left_out.is_empty() {
        let cut = grouped(tally.cut as u64);
        log::info!("of {cut} chunks left out: {}", left_out.join(", "));
    }
    let both = &record.groups_in_both_classes;
    if let Some(first) = both.first() {
        log::warn!(
            "{} groups hold viruses and others (first: {first}): prophages, or wrong labels",
            both.len()
        );
    }
}

/// Logs how many frames there are to learn from.
fn examples(splits: &[SplitCounts], failed: usize) {
    for SplitCounts { split, viral, others, groups } in splits {
        log::info!(
            "{split}: {} viral and {} other frames of {} groups",
            grouped(*viral as u64),
            grouped(*others as u64),
            grouped(*groups as u64)
        );
    }
    if failed > 0 {
        log::warn!("{failed} frames could not be embedded and are left out");
    }
}
