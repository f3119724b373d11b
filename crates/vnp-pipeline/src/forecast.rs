//! The measured speed of a run, and the time that is left.

use std::collections::BTreeMap;
use std::time::Duration;

use vnp_job::parts::Stage;

use crate::estimate::{Estimate, Workload};

/// The progress of the encoders.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Progress {
    /// What this session has to compute.
    pub estimate: Estimate,
    /// What each stage has done of it; no entry before its encoder has started.
    pub done: BTreeMap<Stage, Rate>,
    /// Time since the first row was started.
    pub elapsed: Duration,
    /// The time until all rows are embedded; none as long as it is unknown.
    pub left: Option<Duration>,
}

/// What an encoder has done, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    /// Rows embedded.
    pub rows: u64,
    /// Their tokens, estimated as in [`Workload`].
    pub tokens: f64,
    /// Floating-point operations, estimated likewise.
    pub flops: f64,
    /// The time that the encoder was at work, summed over all devices.
    pub busy: Duration,
}

impl Rate {
    /// Each row has the same share of all tokens and operations.
    pub(crate) fn new(all: &Workload, rows: u64, busy: Duration) -> Self {
        let share = rows as f64 / all.rows.max(1) as f64;
        Self { rows, tokens: share * all.tokens as f64, flops: share * all.flops, busy }
    }

    /// Tokens per second of one device at work; 0 if nothing was done or counted.
    #[must_use]
    pub fn tokens_per_second(&self) -> f64 {
        self.tokens / self.busy.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    /// Floating-point operations per second, likewise.
    #[must_use]
    pub fn flops_per_second(&self) -> f64 {
        self.flops / self.busy.as_secs_f64().max(f64::MIN_POSITIVE)
    }

    pub(crate) fn add(&mut self, other: &Self) {
        self.rows += other.rows;
        self.tokens += other.tokens;
        self.flops += other.flops;
        self.busy += other.busy;
    }
}

impl Progress {
    pub(crate) fn new(estimate: Estimate, done: BTreeMap<Stage, Rate>, elapsed: Duration) -> Self {
        let mut progress = Self { estimate, done, elapsed, left: None };
        progress.left = progress.time_left();
        progress
    }

    /// What one stage has done.
    #[must_use]
    pub fn of(&self, stage: Stage) -> Rate {
        self.done.get(&stage).copied().unwrap_or_default()
    }

    /// The time that the rest takes, if work and elapsed time stay in proportion: that accounts for
    /// overheads and the number of devices. A stage that has not started is assumed to be as fast per
    /// operation as the others.
    fn time_left(&self) -> Option<Duration> {
        let mut all = Rate::default();
        self.done.values().for_each(|rate| all.add(rate));
        let mut work_left = 0.0;
        for (&stage, total) in &self.estimate.stages {
            let done = self.of(stage);
            let left = total.rows.saturating_sub(done.rows);
            work_left += match (left, done.rows) {
                (0, _) => 0.0,
                (_, 0) if all.flops > 0.0 && total.flops > 0.0 => {
                    all.busy.as_secs_f64() * total.flops / all.flops
                }
                (_, 0) => return None,
                (left, rows) => done.busy.as_secs_f64() * left as f64 / rows as f64,
            };
        }
        let per_work = self.elapsed.as_secs_f64() / all.busy.as_secs_f64();
        Duration::try_from_secs_f64(work_left * per_work).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Stage::{Nucleotide, NucleotideOnly, Protein};

    /// Two stages of 100 rows: one of 100 tokens each, one of 150 tokens each and 20 times the work. The
    /// third is like the first.
    fn progress(flops: f64, done: &[(Stage, u64, u64)], elapsed: u64) -> Progress {
        let workload = |tokens, flops| Workload { rows: 100, tokens, flops, ..Workload::default() };
        let mut stages = BTreeMap::from([
            (Nucleotide, workload(10_000, flops)),
            (Protein, workload(15_000, 20.0 * flops)),
        ]);
        if done.iter().any(|(stage, ..)| *stage == NucleotideOnly) {
            stages.insert(NucleotideOnly, workload(10_000, flops));
        }
        let rates = done.iter().filter(|(_, rows, _)| *rows > 0).map(|&(stage, rows, seconds)| {
            (stage, Rate::new(&stages[&stage], rows, Duration::from_secs(seconds)))
        });
        let done = rates.collect();
        let estimate = Estimate { stages, devices: vec!["test".into()] };
        Progress::new(estimate, done, Duration::from_secs(elapsed))
    }

    #[track_caller]
    fn check(flops: f64, done: &[(Stage, u64, u64)], elapsed: u64, expected: Option<u64>) {
        let left = progress(flops, done, elapsed).left;
        assert_eq!(left.map(|left| left.as_secs_f64().round() as u64), expected);
    }

    #[test]
    fn the_time_left_is_known_from_the_first_batch_on() {
        check(1e12, &[], 0, None);
        // A tenth of the nucleotides in 10 s: 90 s more, and 20 times 100 s of protein.
        check(1e12, &[(Nucleotide, 10, 10)], 10, Some(2090));
        // Without operations the other encoder must have started.
        check(0.0, &[(Nucleotide, 10, 10)], 10, None);
        check(0.0, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 40, Some(360));
        // A measured speed has precedence over one derived from operations.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 40, Some(360));
        check(1e12, &[(Nucleotide, 100, 100), (Protein, 100, 300)], 400, Some(0));
    }

    #[test]
    fn devices_and_overheads_are_part_of_the_time_left() {
        // Two devices: 40 s of work in 20 s.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 20, Some(180));
        // Twice as long as the encoders were at work.
        check(1e12, &[(Nucleotide, 10, 10), (Protein, 10, 30)], 80, Some(720));
    }

    #[test]
    fn a_third_stage_is_part_of_the_time_left() {
        let both = [(Nucleotide, 100, 10), (Protein, 100, 200)];
        // The others did 21 times its work in 210 s; once it has started its own speed counts.
        check(1e12, &[both[0], both[1], (NucleotideOnly, 0, 0)], 210, Some(10));
        check(1e12, &[both[0], both[1], (NucleotideOnly, 50, 20)], 230, Some(20));
    }

    #[test]
    fn rates_are_those_of_one_device_at_work() {
        let progress = progress(1e12, &[(Protein, 10, 3)], 3);
        assert_eq!(progress.of(Protein).tokens_per_second().round(), 500.0);
        assert_eq!((progress.of(Protein).flops_per_second() / 1e9).round(), 667.0);
        assert_eq!(progress.of(Nucleotide).tokens_per_second(), 0.0);
    }
}
