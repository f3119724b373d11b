//! The progress of `vnp embed` on standard error.

use std::cell::RefCell;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use vnp_pipeline::embed::EmbedEvent;

use super::interval::INTERVAL;
use crate::logging::Console;
use crate::output::{counted, grouped};

/// Reports the events of a run that embeds records.
pub(crate) struct EmbeddingProgress<'a> {
    console: &'a Console,
    state: RefCell<State>,
}

struct State {
    bar: Option<ProgressBar>,
    total: u64,
    done: u64,
    last_message: Instant,
}

impl<'a> EmbeddingProgress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let state = State { bar: None, total: 0, done: 0, last_message: Instant::now() };
        Self { console, state: RefCell::new(state) }
    }

    /// Shows an event.
    pub(crate) fn event(&self, event: EmbedEvent<'_>) {
        let mut state = self.state.borrow_mut();
        match event {
            EmbedEvent::Surveyed { records, failed } => surveyed(records, failed),
            EmbedEvent::Planned { rows, present, bad_parts } => {
                (state.total, state.done) = (rows, present);
                if present + bad_parts > 0 {
                    log::info!(
                        "{} of {} are saved from an earlier session, {}",
                        grouped(present),
                        counted(rows, "row"),
                        counted(bad_parts, "bad checkpoint"),
                    );
                }
            }
            EmbedEvent::LoadingEncoder => log::info!("loading the encoder"),
            EmbedEvent::EncoderReady { device } => {
                log::info!("encoder ready on {device}");
                state.begin(self.console);
            }
            EmbedEvent::Computed(rows) => {
                log::debug!("computed rows {rows}");
                state.computed(self.console, rows.len());
            }
            EmbedEvent::Saved(rows) => log::debug!("saved rows {rows}"),
            EmbedEvent::Publishing => {
                state.clear();
                log::info!("every row is there: writing the output");
            }
            _ => {}
        }
    }
}

impl Drop for EmbeddingProgress<'_> {
    fn drop(&mut self) {
        self.state.borrow_mut().clear();
    }
}

fn surveyed(records: u64, failed: u64) {
    log::info!("{}", counted(records, "record"));
    if records == 0 {
        log::warn!("the input holds no records: the output will have no rows");
    }
    if failed > 0 {
        log::warn!("{} cannot be embedded", counted(failed, "record"));
    }
}

impl State {
    fn begin(&mut self, console: &Console) {
        self.last_message = Instant::now();
        if !console.interactive {
            return;
        }
        let bar = console.bars().add(ProgressBar::new(self.total).with_position(self.done));
        let style = "{elapsed_precise} [{bar:40}] {percent}% {human_pos}/{human_len} records";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style.progress_chars("=> "));
        }
        self.bar = Some(bar);
    }

    fn computed(&mut self, console: &Console, rows: u64) {
        self.done += rows;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if console.wants_progress && self.last_message.elapsed() >= INTERVAL {
            self.last_message = Instant::now();
            let percent = self.done * 100 / self.total.max(1);
            log::info!(
                "{} of {} embedded ({percent}%)",
                grouped(self.done),
                counted(self.total, "record")
            );
        }
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
