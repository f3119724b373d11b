use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use vnp_pipeline::{Event, Observer, ResumeSummary, Stage, Survey};

use crate::logging::Console;
use crate::output::grouped;

/// Between two progress lines where there is no terminal.
const INTERVAL: Duration = Duration::from_secs(30);

/// Tells a run's progress on standard error: a bar on a terminal, lines at intervals elsewhere.
pub(crate) struct Progress<'a> {
    console: &'a Console,
    state: RefCell<State>,
}

struct State {
    bar: Option<ProgressBar>,
    /// Embeddings to compute and computed: both stages weigh alike.
    total: u64,
    done: u64,
    began: Instant,
    last_told: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let now = Instant::now();
        let state = State { bar: None, total: 0, done: 0, began: now, last_told: now };
        Self { console, state: RefCell::new(state) }
    }
}

impl Observer for Progress<'_> {
    fn event(&self, event: Event<'_>) {
        let mut state = self.state.borrow_mut();
        match event {
            Event::Surveying { records, bases } => state.surveying(self.console, records, bases),
            Event::Surveyed(survey) => state.surveyed(survey),
            Event::Planned(summary) => state.planned(self.console, summary),
            Event::LoadingModel => log::info!("loading the model"),
            Event::ModelReady { devices } => {
                log::info!("model ready on {}", devices.join(", "));
                state.began = Instant::now();
                state.last_told = state.began;
                if let Some(bar) = &state.bar {
                    bar.reset();
                }
            }
            Event::Computed { stage, rows } if Stage::EMBEDDINGS.contains(&stage) => {
                state.computed(self.console, rows.end - rows.start);
            }
            Event::Publishing => {
                state.clear();
                log::info!("every row is scored: writing the results");
            }
            _ => {}
        }
    }
}

impl State {
    fn surveying(&mut self, console: &Console, records: u64, bases: u64) {
        if console.interactive {
            let bar =
                self.bar.get_or_insert_with(|| console.bars().add(ProgressBar::new_spinner()));
            let (records, bases) = (grouped(records), grouped(bases));
            bar.set_message(format!("reading the input: {records} records, {bases} bp"));
            bar.tick();
        } else if console.wants_progress && self.is_due() {
            log::info!("reading the input: {} records, {} bp", grouped(records), grouped(bases));
        }
    }

    fn surveyed(&mut self, survey: &Survey) {
        self.clear();
        log::info!(
            "{} records, {} bp, {} chunks, {} stop-free frames",
            grouped(survey.records),
            grouped(survey.bases),
            grouped(survey.chunks),
            grouped(survey.rows),
        );
        if survey.records == 0 {
            log::warn!("the input holds no records: the results will hold none either");
        }
    }

    fn planned(&mut self, console: &Console, plan: &ResumeSummary) {
        self.total = plan.nucleotide_rows + plan.protein_rows;
        self.done = 0;
        if plan.parts + plan.bad_parts > 0 {
            let all = plan.score_parts + plan.bad_parts + plan.missing_parts;
            log::info!(
                "{} of {} parts present, {} bad, {} missing: {} of {} rows to compute ({} \
                 nucleotide and {} protein embeddings)",
                grouped(plan.score_parts),
                grouped(all),
                grouped(plan.bad_parts),
                grouped(plan.missing_parts),
                grouped(plan.rows.saturating_sub(plan.rows_scored)),
                grouped(plan.rows),
                grouped(plan.nucleotide_rows),
                grouped(plan.protein_rows),
            );
        }
        if console.interactive && self.total > 0 {
            let style = "{elapsed_precise} [{bar:40}] {percent}% {human_pos}/{human_len} embeddings, \
                         {per_sec}, {eta} left";
            let bar = console.bars().add(ProgressBar::new(self.total));
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> "));
            }
            self.bar = Some(bar);
        }
    }

    fn computed(&mut self, console: &Console, rows: u64) {
        self.done += rows;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
        } else if console.wants_progress && self.is_due() {
            let seconds = self.began.elapsed().as_secs_f64();
            let done = self.done.max(1);
            #[expect(clippy::cast_precision_loss, reason = "an estimate for people")]
            let left = seconds * self.total.saturating_sub(done) as f64 / done as f64;
            log::info!(
                "{} of {} embeddings ({}%), about {} left",
                grouped(self.done),
                grouped(self.total),
                self.done * 100 / self.total.max(1),
                duration(left),
            );
        }
    }

    /// Whether a line may be written again; if so, it counts as written.
    fn is_due(&mut self) -> bool {
        let due = self.last_told.elapsed() >= INTERVAL;
        if due {
            self.last_told = Instant::now();
        }
        due
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}

/// Seconds in the coarsest two units that say something.
fn duration(seconds: f64) -> String {
    let seconds = Duration::try_from_secs_f64(seconds).map_or(u64::MAX, |time| time.as_secs());
    match seconds {
        0..60 => format!("{seconds} s"),
        60..3600 => format!("{} min {} s", seconds / 60, seconds % 60),
        3600..86400 => format!("{} h {} min", seconds / 3600, seconds % 3600 / 60),
        _ => format!("{} d {} h", seconds / 86400, seconds % 86400 / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_told_in_two_units() {
        for (seconds, text) in [
            (0.4, "0 s"),
            (59.9, "59 s"),
            (61.0, "1 min 1 s"),
            (3_700.0, "1 h 1 min"),
            (200_000.0, "2 d 7 h"),
        ] {
            assert_eq!(duration(seconds), text);
        }
    }
}
