//! The progress of a run on standard error: a bar on a terminal, messages at intervals elsewhere.

mod embedding;
mod interval;
mod training;
mod words;

use std::cell::RefCell;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use vnp_pipeline::{Estimate, Event, ResumeSummary, Stage, Survey};

use crate::logging::Console;
use crate::output::{counted, grouped};

pub(crate) use embedding::EmbeddingProgress;
use interval::INTERVAL;
pub(crate) use training::TrainingProgress;

/// The time that an encoder must have worked before its speed is reported.
const WARM: Duration = Duration::from_secs(5);

/// Reports the events of a run.
pub(crate) struct Progress<'a> {
    console: &'a Console,
    state: RefCell<State>,
}

struct State {
    bar: Option<ProgressBar>,
    /// Embeddings to compute, and computed: those of both encoders count alike.
    total: u64,
    done: u64,
    /// Whether the work of the run was reported.
    reported_work: bool,
    /// How many encoders' speeds were reported.
    reported_rates: usize,
    last_message: Instant,
}

impl<'a> Progress<'a> {
    pub(crate) fn new(console: &'a Console) -> Self {
        let state = State {
            bar: None,
            total: 0,
            done: 0,
            reported_work: false,
            reported_rates: 0,
            last_message: Instant::now(),
        };
        Self { console, state: RefCell::new(state) }
    }

    /// Shows what a run reports.
    pub(crate) fn event(&self, event: Event<'_>) {
        let mut state = self.state.borrow_mut();
        match event {
            Event::Surveying { records, bases } => state.surveying(self.console, records, bases),
            Event::Surveyed(survey) => state.surveyed(survey),
            Event::Planned(summary) => state.planned(self.console, summary),
            Event::LoadingModel => log::info!("loading the model"),
            Event::ModelReady { devices } => {
                log::info!("model ready on {}", devices.join(", "));
                state.last_message = Instant::now();
                if let Some(bar) = &state.bar {
                    bar.reset();
                }
            }
            Event::Estimated(estimate) => state.estimated(estimate),
            Event::Computed { stage, rows } => {
                state.done += words::embeddings(stage, rows.len());
            }
            Event::Progress(progress) => state.progress(self.console, progress),
            Event::Publishing => {
                state.clear();
                log::info!("everything is scored: writing the results");
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
            "{}, {} bp, {}, {} (stop-free reading frames)",
            counted(survey.records, "record"),
            grouped(survey.bases),
            counted(survey.chunks, "chunk"),
            counted(survey.rows, "ORF"),
        );
        if survey.records == 0 {
            log::warn!("the input holds no records: the results will be empty");
        }
    }

    fn planned(&mut self, console: &Console, plan: &ResumeSummary) {
        let computed = [
            (Stage::Nucleotide, plan.nucleotide_rows),
            (Stage::Protein, plan.protein_rows),
            (Stage::NucleotideOnly, plan.nucleotide_only_rows),
        ];
        self.total = computed.iter().map(|&(stage, rows)| words::embeddings(stage, rows)).sum();
        self.done = 0;
        if plan.parts + plan.bad_parts > 0 {
            let all = plan.finished_parts + plan.bad_parts + plan.missing_parts;
            let orfless = match plan.nucleotide_only_rows {
                0 => String::new(),
                rows => format!("; {} chunks without an ORF", grouped(rows)),
            };
            log::info!(
                "{} of {} checkpoints present, {} bad, {} missing: {} of {} rows to compute ({} \
                 nucleotide and {} protein embeddings{orfless})",
                grouped(plan.finished_parts),
                grouped(all),
                grouped(plan.bad_parts),
                grouped(plan.missing_parts),
                grouped(plan.rows.saturating_sub(plan.rows_finished)),
                grouped(plan.rows),
                grouped(plan.nucleotide_rows),
                grouped(plan.protein_rows),
            );
        }
        if console.interactive && self.total > 0 {
            let style =
                "{elapsed_precise} [{bar:40}] {percent}% {human_pos}/{human_len} embeddings{msg}";
            let bar = console.bars().add(ProgressBar::new(self.total));
            if let Ok(style) = ProgressStyle::with_template(style) {
                bar.set_style(style.progress_chars("=> "));
            }
            self.bar = Some(bar);
        }
    }

    /// The work of a short run is reported with --verbose only.
    fn estimated(&mut self, estimate: &Estimate) {
        let threads = rayon::current_num_threads();
        self.reported_work = estimate.assumed_time(threads) >= words::LONG;
        self.reported_rates = 0;
        if self.reported_work {
            log::info!("{}", words::work(estimate));
        } else {
            log::debug!("{}", words::work(estimate));
        }
        if let Some(warning) = words::warning(estimate, threads) {
            log::warn!("{warning}");
        }
    }

    fn progress(&mut self, console: &Console, progress: &vnp_pipeline::Progress) {
        if let Some(bar) = &self.bar {
            bar.set_position(self.done);
            let left = words::left(progress).map(|left| format!(", {left}"));
            bar.set_message(left.unwrap_or_default());
        }
        // In a long run the speed of an encoder is reported as soon as it is known.
        let warm = progress.done.values().filter(|rate| rate.busy >= WARM).count();
        let is_long = progress.left.is_some_and(|left| left >= words::LONG);
        let is_news = is_long && warm > self.reported_rates;
        let is_due = self.bar.is_none() && console.wants_progress && self.is_due();
        if !is_news && !is_due {
            return;
        }
        if is_long && !self.reported_work {
            self.reported_work = true;
            log::info!("{}", words::work(&progress.estimate));
        }
        self.reported_rates = warm;
        self.last_message = Instant::now();
        let done = format!(
            "{} of {} embeddings ({}%)",
            grouped(self.done),
            grouped(self.total),
            self.done * 100 / self.total.max(1),
        );
        let more = [words::left(progress), words::rates(progress)];
        let texts: Vec<String> = [Some(done)].into_iter().chain(more).flatten().collect();
        log::info!("{}", texts.join(", "));
    }

    /// Whether the next message is due; if so, it counts as written.
    fn is_due(&mut self) -> bool {
        let due = self.last_message.elapsed() >= INTERVAL;
        if due {
            self.last_message = Instant::now();
        }
        due
    }

    fn clear(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
